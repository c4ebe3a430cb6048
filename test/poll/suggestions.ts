import { part } from '../../src/config/part.ts';
import { fingerprint } from '../../src/poll/fingerprint.ts';
import { suggestIgnore } from '../../src/poll/suggest-ignore.ts';

/** The entries that are suggested for two bodies. */
export function suggested(
  type: string,
  before: string | Buffer,
  after: string | Buffer,
): unknown[] {
  const entries = suggestIgnore(Buffer.from(before), Buffer.from(after), type);
  return entries.map((entry) => JSON.parse(entry));
}

/** With the suggestions in `ignore`, are both bodies the same state? */
export function settles(type: string, before: string, after: string): boolean {
  const ignore = suggested(type, before, after).map((entry) => part.parse(entry));
  const by = { select: [], ignore, compare: 'value' } as const;
  const print = (body: string) => fingerprint(Buffer.from(body), type, by);
  return print(before) === print(after);
}
