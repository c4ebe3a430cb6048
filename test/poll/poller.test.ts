import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolledState, PollOutcome } from '../../src/poll/detect.ts';
import { Poller } from '../../src/poll/poller.ts';
import type { Every } from '../../src/poll/schedule.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { ScriptedFetch } from './scripted-fetch.ts';
import { answer, createScriptedFetch, jsonAnswer } from './scripted-fetch.ts';
import { openUpstream, testPoll } from './test-judge.ts';

/** A poller whose owner keeps the state, as a feed does. */
function setUp(script: ScriptedFetch, every: Every = { minMs: 1_000, maxMs: 1_000 }) {
  const clock = createFakeClock();
  const outcomes: { readonly outcome: PollOutcome; readonly startedAt: number }[] = [];
  let state: PolledState | undefined;
  const poller = new Poller({
    every,
    clock,
    random: () => 0.5,
    upstream: openUpstream(clock),
    poll: testPoll(script, clock, () => state),
    onOutcome: async (outcome, startedAt) => {
      outcomes.push({ outcome, startedAt });
      if (outcome.kind === 'changed') state = outcome.state;
    },
  });
  const kinds = () => outcomes.map(({ outcome }) => outcome.kind);
  return { clock, poller, outcomes, kinds };
}

test('the loop polls at once, again within the interval, and then once an interval', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller, outcomes } = setUp(script);
  poller.start();
  await clock.advance(3_500);
  assert.deepEqual(
    outcomes.map(({ startedAt }) => startedAt),
    [0, 750, 1_750, 2_750],
  );
});

test('an adaptive loop slows down while nothing changes and is fast again after a change', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller, outcomes } = setUp(script, { minMs: 1_000, maxMs: 2_000 });
  poller.start();
  await clock.advance(7_000);
  script.reply = jsonAnswer('2');
  await clock.advance(2_000);
  const times = outcomes.map(({ startedAt }) => startedAt);
  assert.deepEqual(times, [0, 750, 2_250, 4_250, 6_250, 8_250]);
  await clock.advance(500);
  assert.equal(outcomes.at(-1)?.startedAt, 9_250);
});

test('starting twice polls as once', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller } = setUp(script);
  poller.start();
  poller.start();
  await clock.advance(1_500);
  poller.start();
  await clock.advance(1_000);
  assert.equal(script.sent.length, 3);
});

test('a poll that never ends keeps the next one waiting', async () => {
  const script = createScriptedFetch();
  const { clock, poller } = setUp(script);
  poller.start();
  await clock.advance(60_000);
  assert.equal(script.sent.length, 1);
  script.last().resolve(jsonAnswer('1'));
  await clock.advance(99);
  assert.equal(script.sent.length, 1);
  await clock.advance(1); // a tenth of the interval
  assert.equal(script.sent.length, 2);
  assert.equal(script.mostOpen, 1);
});

test('polls on demand share the one in flight', async () => {
  const script = createScriptedFetch();
  const { clock, poller, outcomes } = setUp(script);
  poller.start();
  const polls = [poller.poll(), poller.poll()];
  script.last().resolve(jsonAnswer('1'));
  const [first, second] = await Promise.all(polls);
  assert.equal(first, second);
  assert.equal(outcomes.length, 1);
  await clock.advance(0);
  assert.equal(script.mostOpen, 1);
});

test('a poll on demand takes the place of the one that was planned', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller, outcomes } = setUp(script);
  poller.start();
  await clock.advance(600);
  await poller.poll();
  await clock.advance(1_100);
  assert.deepEqual(
    outcomes.map(({ startedAt }) => startedAt),
    [0, 600, 1_600],
  );
});

test('without a loop a poll on demand is the only one', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller, kinds } = setUp(script);
  assert.equal((await poller.poll()).kind, 'changed');
  await clock.advance(60_000);
  assert.deepEqual(kinds(), ['changed']);
  assert.equal(clock.pending, 0);
});

test('a loop that is started while a poll is in flight goes on from it', async () => {
  const script = createScriptedFetch();
  const { clock, poller } = setUp(script);
  const once = poller.poll();
  poller.start();
  script.reply = jsonAnswer('1');
  script.last().resolve(jsonAnswer('1'));
  await once;
  await clock.advance(1_000);
  assert.equal(script.sent.length, 2);
});

test('an end stops the loop for good', async () => {
  const script = createScriptedFetch(answer(401));
  const { clock, poller, kinds } = setUp(script);
  poller.start();
  await clock.advance(60_000);
  poller.start();
  await clock.advance(60_000);
  assert.deepEqual(kinds(), ['ended']);
  assert.equal(clock.pending, 0);
});

test('stopping abandons the poll in flight without an outcome', async () => {
  const script = createScriptedFetch();
  const { clock, poller, outcomes } = setUp(script);
  poller.start();
  await clock.advance(10);
  poller.stop();
  await clock.advance(60_000);
  assert.ok(script.last().signal.aborted);
  assert.deepEqual(outcomes, []);
  assert.equal(script.sent.length, 1);
  assert.equal(clock.pending, 0);
});

test('stopping between polls cancels the next one', async () => {
  const script = createScriptedFetch(jsonAnswer('1'));
  const { clock, poller, kinds } = setUp(script);
  poller.start();
  await clock.advance(500);
  poller.stop();
  await clock.advance(60_000);
  assert.deepEqual(kinds(), ['changed']);
  assert.equal(clock.pending, 0);
});

test('whatever is thrown is a failed poll, and the loop backs off', async () => {
  const script = createScriptedFetch(new Error('boom'));
  const { clock, poller, outcomes } = setUp(script);
  poller.start();
  await clock.advance(6_500); // polls at 0, 2 and 6 seconds
  assert.equal(outcomes.length, 3);
  const [first] = outcomes;
  assert.ok(first?.outcome.kind === 'failed');
  assert.ok(first.outcome.error instanceof ProxyError);
  assert.equal(first.outcome.error.code, 'INTERNAL');
  assert.equal(poller.failures, 3);
  script.reply = jsonAnswer('1');
  await poller.poll();
  assert.equal(poller.failures, 0);
});

test('a failed poll keeps its code', async () => {
  const script = createScriptedFetch(new ProxyError('UPSTREAM_TIMEOUT'));
  const outcome = await setUp(script).poller.poll();
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.error.code, 'UPSTREAM_TIMEOUT');
});

test('the loop waits as long as Retry-After says', async () => {
  const script = createScriptedFetch(answer(503, '', { 'retry-after': '30' }));
  const { clock, poller } = setUp(script);
  poller.start();
  await clock.advance(29_999);
  assert.equal(script.sent.length, 1);
  await clock.advance(2_000);
  assert.equal(script.sent.length, 2);
});

test('three 404 in a row are the end; one between others is not', async () => {
  const script = createScriptedFetch();
  const { poller, kinds } = setUp(script);
  for (const status of [200, 404, 404, 200, 404, 404, 404]) {
    script.reply = answer(status, status === 200 ? '1' : '');
    await poller.poll();
  }
  const expected = ['changed', 'failed', 'failed', 'unchanged', 'failed', 'failed', 'ended'];
  assert.deepEqual(kinds(), expected);
});

test('a poll that is asked for at once waits as long as Retry-After says', async () => {
  const script = createScriptedFetch(answer(503, '', { 'retry-after': '30' }));
  const { clock, poller } = setUp(script);
  poller.start();
  await clock.advance(0);
  const renewed = poller.renew();
  await clock.advance(29_999);
  assert.equal(script.sent.length, 1);
  await clock.advance(10_000);
  await renewed;
  assert.equal(script.sent.length, 2);
});

test('a type that is spelled in another way is no change', async () => {
  const types = ['application/json', 'application/json; charset=utf-8', 'Application/JSON'];
  const script = createScriptedFetch();
  const { clock, poller, kinds } = setUp(script);
  for (const type of types) {
    script.reply = answer(200, '{"n":1}', { 'content-type': type });
    await poller.poll();
  }
  for (const type of ['text/xml;charset=UTF-8', 'text/xml; charset="utf-8"', 'text/plain']) {
    script.reply = answer(200, '{"n":1}', { 'content-type': type });
    await poller.poll();
  }
  await clock.advance(0);
  assert.deepEqual(kinds(), [
    'changed',
    'unchanged',
    'unchanged',
    'changed',
    'unchanged',
    'changed',
  ]);
});
