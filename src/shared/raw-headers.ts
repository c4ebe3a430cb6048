/**
 * Raw headers are Node's flat list `[name, value, name, value, …]`: order, case, duplicates and
 * every byte (as latin1) are as they were on the wire.
 */
export type RawHeaders = readonly string[];

/** Every value of one header, in order. `name` is in lower case. */
export function headerValues(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      values.push(raw[i + 1] as string);
    }
  }
  return values;
}

/** The first value of one header, or `undefined`. `name` is in lower case. */
export function headerValue(raw: RawHeaders, name: string): string | undefined {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const candidate = raw[i] as string;
    if (candidate.length === name.length && candidate.toLowerCase() === name) {
      return raw[i + 1] as string;
    }
  }
  return undefined;
}

/**
 * A piece of a header without the white space of HTTP around it (RFC 9110 §5.6.3).
 *
 * SECURITY: `trim()` takes the byte A0 as well, with which many a letter ends in UTF-8, and would make
 * one cookie into another. No regular expression either: those take the square of the length.
 */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

/** Split a comma separated header value into trimmed, non-empty parts. */
export function listItems(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/**
 * SECURITY: can the end of an answer with these headers be known? Only with no transfer coding, or
 * with one `chunked` alone (RFC 9112 §6.3): Node and undici read any other one to some end.
 */
export function hasKnownCoding(raw: RawHeaders): boolean {
  const codings = headerValues(raw, 'transfer-encoding');
  return codings.length === 0 || (codings.length === 1 && codings[0]?.toLowerCase() === 'chunked');
}

/** Does a request with these headers have a body (RFC 9112 §6.3)? */
export function hasBody(raw: RawHeaders): boolean {
  const length = headerValue(raw, 'content-length') ?? '0';
  return length !== '0' || headerValue(raw, 'transfer-encoding') !== undefined;
}
