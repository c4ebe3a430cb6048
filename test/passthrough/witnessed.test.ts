import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnswerHandler, Head } from '../../src/passthrough/exchange.ts';
import { witnessed } from '../../src/passthrough/witnessed.ts';
import { recordingLog } from '../support/recording-log.ts';

/** A handler and a witness of one answer, and what they were told, in order. */
function scene(failsAt?: string) {
  const told: string[] = [];
  const handler: AnswerHandler = {
    onHead: ({ status }) => {
      told.push(`head ${status}`);
      if (status === 999) throw new Error('refused');
    },
    onData: (chunk) => {
      told.push(`data ${chunk}`);
      return chunk.length > 1;
    },
    onEnd: () => told.push('end'),
    onUpgrade: () => told.push('upgrade'),
    onError: () => told.push('error'),
  };
  const see = (what: string) => {
    told.push(`seen: ${what}`);
    if (what === failsAt) throw new Error('on purpose');
  };
  const witness = {
    onHead: (status: number) => see(`head ${status}`),
    onData: (chunk: Buffer) => see(`data ${chunk}`),
    onEnd: () => see('end'),
  };
  const { log, lines } = recordingLog();
  return { told, lines, both: witnessed(handler, witness, log) };
}

const head = (status: number): Head => ({ status, reason: undefined, headers: [] });

test('a witness sees the final answer, each time after who has to handle it', () => {
  const { both, told } = scene();
  both.onHead(head(103));
  both.onHead(head(200));
  assert.equal(both.onData(Buffer.from('a')), false);
  assert.equal(both.onData(Buffer.from('ab')), true);
  both.onEnd([]);
  assert.deepEqual(told, [
    ...['head 103', 'head 200', 'seen: head 200'],
    ...['data a', 'seen: data a', 'data ab', 'seen: data ab', 'end', 'seen: end'],
  ]);
});

test('of an answer that is refused, breaks off, or is an upgrade, a witness sees no end', () => {
  const { both, told } = scene();
  assert.throws(() => both.onHead(head(999)));
  both.onError(new Error('reset'));
  both.onUpgrade([], undefined as never);
  assert.deepEqual(told, ['head 999', 'error', 'upgrade']);
});

for (const failsAt of ['head 200', 'data a', 'end']) {
  test(`a witness that fails (${failsAt}) hurts nobody, is told of once, and sees no more`, () => {
    const { both, told, lines } = scene(failsAt);
    both.onHead(head(200));
    both.onData(Buffer.from('a'));
    both.onEnd([]);
    assert.deepEqual(
      told.filter((what) => !what.startsWith('seen')),
      ['head 200', 'data a', 'end'],
    );
    assert.equal(told.filter((what) => what.startsWith('seen')).at(-1), `seen: ${failsAt}`);
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['error'],
    );
  });
}
