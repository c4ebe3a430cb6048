import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamLimits } from '../../src/live/stream-limits.ts';

test('there are no more streams than allowed, in all', () => {
  const limits = new StreamLimits({ streams: 2, streamsPerAddress: 2 });
  assert.equal(limits.take('a'), undefined);
  assert.equal(limits.take('b'), undefined);
  assert.equal(limits.take('c'), 'TOO_MANY_STREAMS');
  assert.equal(limits.open, 2);
});

test('there are no more streams than allowed from one address', () => {
  const limits = new StreamLimits({ streams: 10, streamsPerAddress: 1 });
  assert.equal(limits.take('a'), undefined);
  assert.equal(limits.take('a'), 'TOO_MANY_FOR_ADDRESS');
  assert.equal(limits.take('b'), undefined);
  assert.equal(limits.open, 2);
});

test('a place that is given back can be taken again', () => {
  const limits = new StreamLimits({ streams: 2, streamsPerAddress: 2 });
  limits.take('a');
  limits.take('a');
  limits.release('a');
  assert.equal(limits.open, 1);
  assert.equal(limits.take('a'), undefined);
  assert.equal(limits.take('a'), 'TOO_MANY_STREAMS');
});

test('a refusal takes no place', () => {
  const limits = new StreamLimits({ streams: 1, streamsPerAddress: 1 });
  limits.take('a');
  for (let i = 0; i < 5; i++) assert.ok(limits.take('b'));
  limits.release('a');
  assert.equal(limits.open, 0);
  assert.equal(limits.take('b'), undefined);
});
