import { isGlob } from '../shared/glob.ts';

/** Where something stands in the body of a request. Names may be globs where several can be meant. */
export type BodyField =
  /** In JSON: names and indexes from the outside inwards. */
  | { readonly kind: 'json'; readonly path: readonly string[] }
  /** In a form: the name of a field. */
  | { readonly kind: 'form'; readonly name: string };

/** Longer ones are a mistake: whoever walks along one need not be afraid of it. */
const MAX_LEVELS = 32;

/** Read a JSON Pointer (RFC 6901), which starts with "/", or the name of a form field. */
export function readBodyField(text: string): BodyField | { problem: string } {
  if (text === '') {
    return { problem: 'must be a JSON Pointer such as "/method", or the name of a form field' };
  }
  if (/\p{Surrogate}/u.test(text)) return { problem: 'must not hold half of a character' };
  if (!text.startsWith('/')) return { kind: 'form', name: text };
  if (/~(?![01])/.test(text)) {
    return { problem: 'must be a JSON Pointer: "~" is written "~0", and "/" in a name "~1"' };
  }
  const path = text
    .slice(1)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  return path.length > MAX_LEVELS
    ? { problem: `must be a JSON Pointer of at most ${MAX_LEVELS} names` }
    : { kind: 'json', path };
}

/** The same, where exactly one place is meant. */
export function readSingleField(text: string): BodyField | { problem: string } {
  const field = readBodyField(text);
  return isGlob(text) ? { problem: 'must name one place, without "*" and "?"' } : field;
}

/** As the config has it. */
export function bodyFieldSource(field: BodyField): string {
  if (field.kind === 'form') return field.name;
  const names = field.path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'));
  return `/${names.join('/')}`;
}
