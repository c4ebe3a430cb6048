import { gzipSync } from 'node:zlib';
import type { PatchFormat } from '../src/poll/diff.ts';
import { patchText } from '../src/poll/diff.ts';
import type { Change } from './diff-documents.ts';
import { DOCUMENTS } from './diff-documents.ts';
import { median, printTable } from './figures.ts';

/*
 * What it costs to say a change as a patch, once for all subscribers, and what that saves for each:
 * beside the whole state, plain and by gzip, and beside reading both documents and writing one,
 * which is the least that a comparison by JSON can take. No patch: a document over 128 KiB, or a
 * patch that would be no smaller; then the whole state is sent.
 */
const ROUNDS = 7;
const ROUND_MS = 60;

interface Way {
  readonly name: string;
  /** What is sent; `undefined` where this way cannot say the change. */
  say(change: Change): Buffer | undefined;
}

const FLOOR: Way = {
  name: 'parse both, stringify one',
  say({ before, after }) {
    JSON.parse(before.toString());
    return Buffer.from(JSON.stringify(JSON.parse(after.toString())));
  },
};
const WAYS: readonly Way[] = [
  FLOOR,
  { name: 'patch: json', say: patched('json') },
  { name: 'patch: merge', say: patched('merge') },
  { name: 'whole state', say: ({ after }) => after },
  { name: 'whole state, gzip', say: ({ after }) => gzipSync(after) },
];

/** Measure each way for each change, and print a table for each change. */
export async function run(): Promise<void> {
  for (const change of DOCUMENTS) {
    const said = WAYS.map((way) => way.say(change));
    const rounds = Array.from({ length: ROUNDS }, () => WAYS.map((way) => cpuOf(way, change)));
    const rows = WAYS.map(({ name }, index) => {
      const bytes = said[index]?.length;
      const microseconds = median(rounds.map((round) => round[index] ?? Number.NaN));
      const ratio = median(
        rounds.map((round) => (round[index] ?? 0) / (round[WAYS.indexOf(FLOOR)] ?? 1)),
      );
      const sent = bytes === undefined ? 'no patch' : bytes.toLocaleString('en');
      return [name, [microseconds.toFixed(0), ratio.toFixed(2), sent]] as const;
    });
    console.log(`\n${change.name}: median of ${ROUNDS} rounds`);
    printTable(['us CPU', 'ratio', 'bytes sent'], rows, { name: 30, cell: 12 });
  }
}

/** CPU of this process for one change, in microseconds: nothing else runs here meanwhile. */
function cpuOf(way: Way, change: Change): number {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  let count = 0;
  do {
    way.say(change);
    count += 1;
  } while (performance.now() - startedAt < ROUND_MS);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

function patched(format: PatchFormat) {
  return ({ before, after }: Change) => {
    const text = patchText(format, before, after);
    return text === undefined ? undefined : Buffer.from(text);
  };
}
