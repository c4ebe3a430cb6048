import { keys } from './browser.ts';
import type { Rule } from './told.ts';

/** A request of the page, as far as it tells one poll from another. */
export interface PageRequest {
  /** In capitals. */
  readonly method: string;
  /** Path and query; absolute if it is not of this site. */
  readonly target: string;
  /** Names in lower case, those that the page's script has set. */
  readonly headers: Readonly<Record<string, string>>;
  /** Empty when there is none. */
  readonly body: string;
}

/** Of a request, without what its poll is not told by. */
const NOT_KEYED = /^(?:if-.*|cache-control|pragma)$/;

/** The same text for all requests that are one poll. */
export function requestKey({ method, target, headers, body }: PageRequest, rule: Rule): string {
  const set = keys(headers)
    .filter((name) => !NOT_KEYED.test(name))
    .sort()
    .map((name) => `${name}:${headers[name]}`);
  return [method, lessQuery(target, rule.query), lessBody(body, rule), ...set].join('\n');
}

/** A URL without the parameters that do not count. */
export function lessQuery(target: string, ignored: readonly string[]): string {
  const at = target.indexOf('?');
  return at < 0 ? target : target.slice(0, at) + lessParameters(target.slice(at + 1), ignored, '?');
}

function lessParameters(text: string, ignored: readonly string[], before: string): string {
  const kept = text.split('&').filter((part) => !ignored.some((glob) => isNamed(part, glob)));
  return kept.length > 0 ? before + kept.join('&') : '';
}

function isNamed(part: string, glob: string): boolean {
  let name = part.split('=')[0] || '';
  try {
    name = decodeURIComponent(name);
  } catch {
    // No escape: the name is what stands there.
  }
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${pattern}$`).test(name);
}

function lessBody(body: string, { body: ignored, isRpc }: Rule): string {
  const fields = isRpc ? ignored.concat('/id') : ignored;
  if (fields.length === 0) return body;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return lessParameters(body, fields, '');
  }
  for (const field of fields) if (field[0] === '/') remove(json, field.slice(1).split('/'));
  return JSON.stringify(json);
}

/** @param path - Of a JSON Pointer; `*` is every name. */
function remove(value: unknown, path: readonly string[]): void {
  if (typeof value !== 'object' || value === null) return;
  const holder = value as Record<string, unknown>;
  const name = (path[0] || '').replace(/~1/g, '/').replace(/~0/g, '~');
  for (const key of keys(holder)) {
    if (name !== '*' && key !== name) continue;
    if (path.length === 1) delete holder[key];
    else remove(holder[key], path.slice(1));
  }
}
