import type { Part } from '../config/part.ts';
import type { VaryItem } from '../config/vary.ts';
import { varyLabel } from '../live/endpoint-words.ts';
import { configLine } from '../shared/config-line.ts';

/** `ignore` with what is ignored already, and these JSON texts. */
export function ignoreLine(ignore: readonly Part[], added: readonly string[]): string {
  return configLine('ignore', [...ignore.map(partText), ...added]);
}

/**
 * `vary` with what is in it already, and these entries; `undefined` when there are none. Where cookies
 * are named, "cookie" as a whole is not needed, by which no two browsers would share.
 */
export function varyLine(vary: readonly VaryItem[], added: readonly string[]): string | undefined {
  if (added.length === 0) return undefined;
  const entries = [...vary.map(varyLabel), ...added];
  const areNamed = entries.some((entry) => entry.startsWith('cookie:'));
  const needed = areNamed ? entries.filter((entry) => entry !== 'cookie') : entries;
  return configLine(
    'vary',
    needed.map((entry) => JSON.stringify(entry)),
  );
}

/** A part as it stands in the config. */
export function partText(part: Part): string {
  return JSON.stringify(part.kind === 'path' ? part.source : { css: part.selector });
}
