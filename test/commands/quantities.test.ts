import assert from 'node:assert/strict';
import { test } from 'node:test';
import { about, counted, sizeText } from '../../src/commands/quantities.ts';

const DURATIONS: readonly [ms: number, text: string][] = [
  [0, '0ms'],
  [0.4, '0ms'],
  [999.4, '999ms'],
  [999.6, '1s'],
  [1_000, '1s'],
  [1_249, '1.2s'],
  [9_949, '9.9s'],
  [9_960, '10s'],
  [59_499, '59s'],
  [59_600, '1m'],
  [60_000, '1m'],
  [125_000, '2m 5s'],
  [3_599_600, '1h'],
  [3_600_000, '1h'],
  [11_520_000, '3h 12m'],
  [360_000_000, '100h'],
];
for (const [ms, text] of DURATIONS) {
  test(`${ms} ms is about ${text}`, () => assert.equal(about(ms), text));
}

const SIZES: readonly [bytes: number, text: string][] = [
  [0, '0 B'],
  [1_023, '1023 B'],
  [1_024, '1.0 KiB'],
  [4_301, '4.2 KiB'],
  [1_048_576, '1.0 MiB'],
  [5_000_000_000, '4768.4 MiB'],
];
for (const [bytes, text] of SIZES) {
  test(`${bytes} bytes are ${text}`, () => assert.equal(sizeText(bytes), text));
}

test('nouns agree with their number', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, 'event')),
    ['no events', '1 event', '2 events'],
  );
});
