import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration, parseSize } from '../../src/config/units.ts';

const DURATIONS: readonly [text: string, ms: number][] = [
  ['0s', 0],
  ['1ms', 1],
  ['500ms', 500],
  ['2s', 2_000],
  ['1.5s', 1_500],
  ['0.4ms', 0],
  ['1m', 60_000],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
  ['1h2m3s4ms', 3_723_004],
  ['0002s', 2_000],
];
for (const [text, ms] of DURATIONS) {
  test(`the duration ${text} is ${ms} ms`, () => assert.equal(parseDuration(text), ms));
}

const SIZES: readonly [text: string, bytes: number][] = [
  ['0B', 0],
  ['1B', 1],
  ['1KiB', 1_024],
  ['1.5KiB', 1_536],
  ['64KiB', 65_536],
  ['4MiB', 4_194_304],
  ['1GiB', 1_073_741_824],
];
for (const [text, bytes] of SIZES) {
  test(`the size ${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));
}

const NOT_DURATIONS = ['', '5', 's', '5 s', ' 5s', '5s ', '-1s', '+1s', '1e3s', '.5s', '1.s'];
for (const text of [...NOT_DURATIONS, '1S', '1M', '1d', '1s30', '1,5s', '٥s', '5s\n', '4MiB']) {
  test(`${JSON.stringify(text)} is no duration`, () => {
    assert.equal(parseDuration(text), undefined);
  });
}

const NOT_SIZES = ['', '5', 'B', '5 B', ' 5B', '5B ', '-1B', '1KB', '1kib', '1K', '1MiB1KiB', '2s'];
for (const text of NOT_SIZES) {
  test(`${JSON.stringify(text)} is no size`, () => assert.equal(parseSize(text), undefined));
}

const WRITTEN: readonly [ms: number, text: string][] = [
  [0, '0s'],
  [1, '1ms'],
  [1_500, '1500ms'],
  [2_000, '2s'],
  [60_000, '1m'],
  [90_000, '90s'],
  [3_600_000, '60m'],
];
for (const [ms, text] of WRITTEN) {
  test(`${ms} ms is written ${text}`, () => assert.equal(formatDuration(ms), text));
}

test('every whole number of milliseconds reads back as it was written', () => {
  fc.assert(
    fc.property(fc.nat(), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});
