import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrialRoom } from '../../src/live/trial-room.ts';
import { AnswerCopy } from '../../src/live/true-answer.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const MAX_BYTES = 10;

/** A copy, and how many bytes are taken for it. */
function scene() {
  let taken = 0;
  const room = {
    take: (_place: string, count = 1) => {
      taken += count;
      return true;
    },
    leave: (_place: string, count = 1) => {
      taken -= count;
    },
  };
  return { copy: new AnswerCopy(MAX_BYTES, room), taken: () => taken };
}

test('an answer is kept until it is released, one of a single piece without a copy of it', async () => {
  const { copy, taken } = scene();
  copy.onHead(200, ['Content-Type', 'text/plain']);
  const piece = Buffer.from('12345');
  copy.onData(piece);
  copy.onEnd();
  copy.onClose();
  assert.equal(await copy.done, 'whole');
  assert.equal(copy.answer?.body, piece);
  assert.deepEqual(
    [copy.answer.status, copy.answer.headers.get('content-type')],
    [200, 'text/plain'],
  );
  assert.equal(taken(), 5);
  copy.release();
  copy.release();
  assert.deepEqual([copy.answer, taken()], [undefined, 0]);
});

test('pieces are joined', async () => {
  const { copy } = scene();
  copy.onHead(200, []);
  for (const piece of ['12', '345', '67890']) copy.onData(Buffer.from(piece));
  copy.onEnd();
  assert.equal(await copy.done, 'whole');
  assert.equal(copy.answer?.body.toString(), '1234567890');
});

const LOST: readonly [why: string, what: string, see: (copy: AnswerCopy) => void][] = [
  ['failed', 'no answer', () => undefined],
  ['failed', 'a 500', (copy) => copy.onHead(500, [])],
  ['failed', 'a 408', (copy) => copy.onHead(408, [])],
  ['cut', 'one that breaks off', (copy) => copy.onHead(200, [])],
  ['size', 'one that says so', (copy) => copy.onHead(200, ['content-length', '11'])],
  ['coding', 'Brotli', (copy) => copy.onHead(200, ['Content-Encoding', 'br'])],
  ['coding', 'twice', (copy) => copy.onHead(200, ['Content-Encoding', 'gzip, gzip'])],
  [
    'coding',
    'in two lines',
    (copy) => copy.onHead(200, ['Content-Encoding', 'gzip', 'content-encoding', 'br']),
  ],
];
for (const [why, what, see] of LOST) {
  test(`of ${what} there is no copy: ${why}`, async () => {
    const { copy, taken } = scene();
    see(copy);
    copy.onData(Buffer.from('1'));
    copy.onClose();
    assert.equal(await copy.done, why);
    assert.deepEqual([copy.answer, taken()], [undefined, 0]);
  });
}

test('one that turns out to be too large is given up at once', async () => {
  const { copy, taken } = scene();
  copy.onHead(200, []);
  copy.onData(Buffer.from('1234567890'));
  assert.equal(taken(), 10);
  copy.onData(Buffer.from('1'));
  assert.equal(taken(), 0);
  copy.onEnd();
  assert.equal(await copy.done, 'size');
});

for (const status of [304, 401, 302, 404]) {
  test(`the status ${status} says enough, whatever its body is`, async () => {
    const { copy, taken } = scene();
    copy.onHead(status, ['content-encoding', 'br', 'content-length', '1000']);
    copy.onData(Buffer.alloc(1_000));
    assert.equal(await copy.done, 'whole');
    assert.deepEqual([copy.answer?.status, copy.answer?.body.length, taken()], [status, 0, 0]);
  });
}

test('what trials keep is bounded, all together', async () => {
  const room = new TrialRoom(createFakeClock());
  const piece = Buffer.alloc(4 * 1_024 * 1_024);
  const copies = Array.from({ length: 9 }, () => new AnswerCopy(piece.length, room));
  for (const copy of copies) {
    copy.onHead(200, []);
    copy.onData(piece);
    copy.onEnd();
  }
  const outcomes = await Promise.all(copies.map(({ done }) => done));
  assert.deepEqual(outcomes, [...Array(8).fill('whole'), 'load']);
  copies[0]?.release();
  const next = new AnswerCopy(piece.length, room);
  next.onHead(200, []);
  next.onData(piece);
  next.onEnd();
  assert.equal(await next.done, 'whole');
});
