import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/poll/answer.ts';
import type { PolledState, PollOutcome } from '../../src/poll/detect.ts';
import { Poller } from '../../src/poll/poller.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answer, createScriptedFetch, jsonAnswer } from './scripted-fetch.ts';
import { openUpstream, testPoll } from './test-judge.ts';

const DATE = 'Sat, 01 Jan 2000 00:00:00 GMT';
const LATER = 'Sun, 02 Jan 2000 00:00:00 GMT';
/** When the upstream answered. */
const NOW = { date: 'Mon, 03 Jan 2000 00:00:00 GMT' };

/** Poll once for each answer; gives what each poll asked with and what became of it. */
async function poll(
  answers: readonly Answer[],
  known?: PolledState,
): Promise<{ conditions: (readonly string[])[]; kinds: PollOutcome['kind'][] }> {
  const script = createScriptedFetch();
  const kinds: PollOutcome['kind'][] = [];
  let state = known;
  const clock = createFakeClock();
  const poller = new Poller({
    every: { minMs: 1_000, maxMs: 1_000 },
    clock,
    random: () => 0.5,
    upstream: openUpstream(clock),
    poll: testPoll(script, clock, () => state),
    onOutcome: async (outcome) => {
      kinds.push(outcome.kind);
      if (outcome.kind === 'changed') state = outcome.state;
    },
  });
  for (const next of answers) {
    script.reply = next;
    await poller.poll();
  }
  return { conditions: script.sent.map(({ conditions }) => conditions), kinds };
}

test('the first poll is unconditional', async () => {
  const { conditions } = await poll([jsonAnswer('1', { etag: '"a"' })]);
  assert.deepEqual(conditions, [[]]);
});

test('an entity tag is sent back, and wins over a date', async () => {
  const first = jsonAnswer('1', { etag: 'W/"a"', 'last-modified': DATE });
  const { conditions } = await poll([first, answer(304)]);
  assert.deepEqual(conditions[1], ['if-none-match', 'W/"a"']);
});

test('a date is sent back where there is no entity tag', async () => {
  const { conditions } = await poll([
    jsonAnswer('1', { ...NOW, 'last-modified': DATE }),
    answer(304),
  ]);
  assert.deepEqual(conditions[1], ['if-modified-since', DATE]);
});

test('a date of the same second as the answer is not trusted: it would hide a second change', async () => {
  const sameSecond = jsonAnswer('1', { date: DATE, 'last-modified': DATE });
  const { conditions } = await poll([sameSecond, jsonAnswer('1', { 'last-modified': DATE })]);
  assert.deepEqual(conditions, [[], []]);
});

test('an answer without validators is followed by an unconditional poll', async () => {
  const { conditions } = await poll([
    jsonAnswer('1', { etag: '"a"' }),
    jsonAnswer('2'),
    jsonAnswer('2'),
  ]);
  assert.deepEqual(conditions, [[], ['if-none-match', '"a"'], []]);
});

test('validators are those of the last answer, even when it brought no change', async () => {
  const { conditions, kinds } = await poll([
    jsonAnswer('1', { ...NOW, 'last-modified': DATE }),
    jsonAnswer('1', { ...NOW, 'last-modified': LATER }),
    answer(304),
    answer(304),
  ]);
  assert.deepEqual(kinds, ['changed', 'unchanged', 'unchanged', 'unchanged']);
  assert.deepEqual(conditions.slice(1), [
    ['if-modified-since', DATE],
    ['if-modified-since', LATER],
    ['if-modified-since', LATER],
  ]);
});

test('a state that is known from before is asked for by its own validators', async () => {
  const known: PolledState = {
    status: 200,
    data: Buffer.from('1'),
    encoding: 'utf8',
    headers: { 'content-type': 'application/json', etag: '"k"' },
  };
  const { conditions, kinds } = await poll([answer(304)], known);
  assert.deepEqual(conditions, [['if-none-match', '"k"']]);
  assert.deepEqual(kinds, ['unchanged']);
});

test('a failure leaves the validators as they were', async () => {
  const failure = answer(500, 'oops', { etag: '"error"' });
  const { conditions } = await poll([jsonAnswer('1', { etag: '"a"' }), failure, answer(304)]);
  assert.deepEqual(conditions[2], ['if-none-match', '"a"']);
});

test('a maintenance page is never asked for by its own entity tag, else its 304 would pass for the state', async () => {
  const page = answer(200, '<html>down', { 'content-type': 'text/html', etag: '"page"' });
  const { conditions, kinds } = await poll([jsonAnswer('1', { etag: '"a"' }), page, answer(304)]);
  assert.deepEqual(kinds.slice(0, 2), ['changed', 'failed']);
  assert.deepEqual(conditions[2], ['if-none-match', '"a"']);
});
