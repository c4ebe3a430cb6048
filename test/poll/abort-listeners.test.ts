import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { addAbortListener, removeAbortListener } from '../../src/poll/abort-listeners.ts';

test('each who waits for a signal is called once when it aborts, in order', () => {
  const abort = new AbortController();
  const called: string[] = [];
  for (const name of ['a', 'b', 'c']) addAbortListener(abort.signal, () => called.push(name));
  assert.deepEqual(called, []);
  abort.abort();
  abort.abort();
  assert.deepEqual(called, ['a', 'b', 'c']);
});

test('who has left is not called, also when it was removed by one who was', () => {
  const abort = new AbortController();
  const called: string[] = [];
  const [left, removed] = [() => called.push('left'), () => called.push('removed')];
  addAbortListener(abort.signal, left);
  addAbortListener(abort.signal, () => removeAbortListener(abort.signal, removed));
  addAbortListener(abort.signal, removed);
  addAbortListener(abort.signal, () => called.push('stayed'));
  removeAbortListener(abort.signal, left);
  removeAbortListener(abort.signal, left);
  abort.abort();
  assert.deepEqual(called, ['stayed']);
});

test('a signal that thousands have waited for has one listener', () => {
  const { signal } = new AbortController();
  for (let i = 0; i < 5_000; i++) {
    const callback = () => undefined;
    addAbortListener(signal, callback);
    removeAbortListener(signal, callback);
  }
  assert.equal(getEventListeners(signal, 'abort').length, 1);
});

test('signals are kept apart', () => {
  const [abort, other] = [new AbortController(), new AbortController()];
  const called: string[] = [];
  addAbortListener(abort.signal, () => called.push('one'));
  addAbortListener(other.signal, () => called.push('other'));
  abort.abort();
  assert.deepEqual(called, ['one']);
});
