import { OWN_HEADERS } from '../config/header-name.ts';
import { isKeyable } from '../config/vary.ts';
import { matchesGlob } from '../shared/glob.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues } from '../shared/raw-headers.ts';

/**
 * The headers of a request whose names fit a pattern of `vary`: names in lower case and in order,
 * each with all its values. Two requests that differ in the order of names only are the same.
 */
export function matchingHeaders(
  pattern: string,
  rawHeaders: RawHeaders,
): [name: string, values: readonly string[]][] {
  const names = new Set<string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (matchesGlob(pattern, name) && isKeyable(name, OWN_HEADERS)) names.add(name);
  }
  return [...names].sort().map((name) => [name, headerValues(rawHeaders, name)]);
}
