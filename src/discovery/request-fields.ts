/** A part of a request that can tell one from the other. */
export interface RequestField {
  readonly where: 'query' | 'json' | 'form';
  /** A parameter, a form field or a JSON Pointer; empty for a parameter without "=". */
  readonly name: string;
  /** As it was sent, or a JSON text. */
  readonly text: string;
}

/** More than these become one. */
const MAX_FIELDS = 12;
const MAX_NAME = 64;
const MAX_LEVELS = 4;
/** What is left when a request has more parts than are looked at. */
export const REST = '…';

/** A name that is a value: it differs each time. */
const BARE_VALUE = /^(?:\d{9,}|(?=[a-z0-9]*\d)[a-z][a-z0-9]{5,31})$/i;

/** The parameters of a query, by name. */
export function queryFields(target: string): RequestField[] {
  const start = target.indexOf('?');
  if (start === -1 || start === target.length - 1) return [];
  return limited(
    target
      .slice(start + 1)
      .split('&')
      .map(queryField),
  );
}

/** The fields of a body that was written down. `undefined` when it cannot be read. */
export function bodyFields(text: string, contentType: string): RequestField[] | undefined {
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) {
    return limited(text.split('&').filter(Boolean).map(formField));
  }
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return limited(leaves(value, '', 0));
}

function queryField(raw: string): RequestField {
  const equals = raw.indexOf('=');
  if (equals > 0) {
    const name = decoded(raw.slice(0, equals)).slice(0, MAX_NAME);
    return { where: 'query', name, text: decoded(raw.slice(equals + 1)) };
  }
  // `?1690000000000`, `?m3k9x2a`: what differs each time is the name.
  if (equals === -1 && BARE_VALUE.test(raw)) return { where: 'query', name: '', text: raw };
  return { where: 'query', name: raw.slice(0, MAX_NAME), text: '' };
}

function formField(raw: string): RequestField {
  const equals = raw.indexOf('=');
  const name = decoded(equals === -1 ? raw : raw.slice(0, equals)).slice(0, MAX_NAME);
  return { where: 'form', name, text: equals === -1 ? '' : decoded(raw.slice(equals + 1)) };
}

/** Every scalar of a JSON value with its pointer; what is deeper counts as one text. */
function leaves(value: object, pointer: string, level: number): RequestField[] {
  return Object.entries(value).flatMap(([key, member]: [string, unknown]): RequestField[] => {
    const name = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (typeof member === 'object' && member !== null && level < MAX_LEVELS) {
      return leaves(member, name, level + 1);
    }
    return [{ where: 'json', name: name.slice(0, 4 * MAX_NAME), text: JSON.stringify(member) }];
  });
}

/** In the order of their names, so that the order in which they were sent does not count. */
function limited(fields: readonly RequestField[]): RequestField[] {
  const sorted = fields.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  if (sorted.length <= MAX_FIELDS) return sorted;
  const rest = sorted.slice(MAX_FIELDS - 1);
  const where = rest[0]?.where ?? 'query';
  const text = rest.map((field) => `${field.name}=${field.text}`).join('&');
  return [...sorted.slice(0, MAX_FIELDS - 1), { where, name: REST, text }];
}

function decoded(raw: string): string {
  if (!/[%+]/.test(raw)) return raw;
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '));
  } catch {
    return raw;
  }
}
