import { OWN_HEADERS } from '../config/header-name.ts';
import type { VaryItem } from '../config/vary.ts';
import { isKeyable } from '../config/vary.ts';
import { matchesGlob } from '../shared/glob.ts';

/** Part of every channel's key. */
const ALWAYS_KEYED = new Set(['host', 'x-forwarded-proto', 'x-forwarded-host']);

/** Is a header part of the channel's key? @param name - In lower case. */
export function isKeyed(name: string, vary: readonly VaryItem[]): boolean {
  if (ALWAYS_KEYED.has(name)) return true;
  return vary.some((item) => {
    switch (item.kind) {
      case 'header':
        return item.name === name;
      case 'headers':
        return matchesGlob(item.pattern, name) && isKeyable(name, OWN_HEADERS);
      // The operator says which cookie the answer depends on; a Vary header cannot be so precise.
      case 'cookies':
      case 'cookie':
        return name === 'cookie';
      default:
        return false;
    }
  });
}
