import { OWN_HEADERS } from '../config/header-name.ts';
import type { VaryItem } from '../config/vary.ts';
import { mayVaryOn, parseVary } from '../config/vary.ts';
import { isKeyed } from '../live/keyed-headers.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';

/**
 * Put the given headers in the place of a poll's own ones of the same name.
 *
 * @param poll - The headers of a poll, names in lower case.
 */
export function withGiven(poll: RawHeaders, given: RawHeaders): string[] {
  const sent = pairs(given).filter(([name]) => isSendable(name));
  const replaced = new Set(sent.map(([name]) => name));
  return [...pairs(poll).filter(([name]) => !replaced.has(name)), ...sent].flat();
}

/** Names, in lower case, of what is never sent as it was given: the proxy sets it itself. */
export function unsendable(given: RawHeaders): string[] {
  const names = pairs(given).map(([name]) => name);
  return [...new Set(names)].filter((name) => !isSendable(name) && !USED.has(name));
}

/**
 * What of the given headers a poll does not carry, as entries of `vary`: credentials alone if there
 * are any, since browsers send much that makes no difference.
 */
export function unkeyedParts(given: RawHeaders, vary: readonly VaryItem[]): string[] {
  const parts = pairs(given).flatMap(([name, value]) => {
    if (name === 'cookie') return unkeyedCookies(value, vary);
    const isPart = isSendable(name) && !isKeyed(name, vary) && isVaryEntry(name);
    return isPart ? [name] : [];
  });
  const credentials = parts.filter((entry) => CREDENTIAL.test(entry));
  return [...new Set(credentials.length > 0 ? credentials : parts)];
}

/** May `vary` have this entry? */
export function isVaryEntry(entry: string): boolean {
  return !('problem' in parseVary(entry, OWN_HEADERS));
}

/** Of these the values count, though they are not sent on as they are. */
const USED = new Set(['host', 'x-forwarded-proto', 'x-forwarded-for', 'content-type']);

const CREDENTIAL = /^cookie:|auth|token|session|csrf|xsrf|api-?key|user|tenant|account/;

function unkeyedCookies(line: string, vary: readonly VaryItem[]): string[] {
  if (vary.some(({ kind }) => kind === 'cookies')) return [];
  const keyed = new Set(vary.flatMap((item) => (item.kind === 'cookie' ? [item.name] : [])));
  return line
    .split(';')
    .map((pair) => pair.split('=', 1)[0]?.trim() ?? '')
    .filter((name) => name !== '' && !keyed.has(name))
    .map((name) => `cookie:${name}`)
    .filter(isVaryEntry);
}

function isSendable(name: string): boolean {
  return !OWN_HEADERS.has(name) && mayVaryOn(name);
}

function pairs(raw: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: Math.floor(raw.length / 2) }, (_, i) => [
    (raw[2 * i] ?? '').toLowerCase(),
    raw[2 * i + 1] ?? '',
  ]);
}
