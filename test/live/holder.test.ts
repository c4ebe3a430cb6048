import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { clientKey } from '../../src/live/acquaintances.ts';
import type { HttpExchange } from '../../src/live/exchange.ts';
import type { HoldOutcome } from '../../src/live/holder.ts';
import { Holder } from '../../src/live/holder.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { answer, jsonAnswer } from '../poll/scripted-fetch.ts';
import type { TestFeed } from './test-feed.ts';
import { createTestFeed, EVERY_MS, LINGER_MS } from './test-feed.ts';

const HOLD_MS = 2.5 * EVERY_MS;

/** Who asks, as far as a holder looks. */
interface Client {
  readonly address?: string;
  readonly headers?: readonly string[];
}

/** One request that is held, or was. */
interface Held {
  readonly res: EventEmitter;
  /** How it ended; `undefined` while it is held. */
  outcome: HoldOutcome | undefined;
}

/** A holder over a feed whose state is known, and nobody else listens to. */
async function scene() {
  const fixture = createTestFeed();
  const { feed, clock, channel } = fixture;
  await feed.refresh();
  const holder = new Holder(clock);
  const stateId = channel.snapshot?.id;
  assert.ok(stateId);
  function hold(
    client: Client = {},
    {
      yieldsToNewer = false,
      isNews = (state: ChannelEvent) => state.id !== stateId,
      of = fixture,
    }: {
      yieldsToNewer?: boolean;
      isNews?: (state: ChannelEvent) => boolean;
      of?: TestFeed;
    } = {},
  ): Held {
    const res = new EventEmitter();
    const { address = '192.0.2.1', headers = [] } = client;
    const exchange = { req: { rawHeaders: headers }, res, downstream: { address } };
    const held: Held = { res, outcome: undefined };
    void holder
      .hold({
        exchange: exchange as unknown as HttpExchange,
        feed: of.feed,
        stateId,
        holdMs: HOLD_MS,
        isNews,
        client: yieldsToNewer ? clientKey(exchange as unknown as HttpExchange) : undefined,
      })
      .then((outcome) => {
        held.outcome = outcome;
      });
    return held;
  }
  const { script, stream } = fixture;
  return { fixture, clock, channel, script, stream, holder, hold };
}

test('a request is held until the state is another one', async () => {
  const { clock, script, hold } = await scene();
  const held = hold();
  await clock.advance(1.5 * EVERY_MS);
  assert.equal(held.outcome, undefined);
  script.reply = jsonAnswer('{"n":2}');
  await clock.advance(0.6 * EVERY_MS);
  assert.equal(held.outcome, 'changed');
});

test('without a change it is held for its time and not longer', async () => {
  const { clock, hold } = await scene();
  const held = hold();
  await clock.advance(HOLD_MS - 1);
  assert.equal(held.outcome, undefined);
  await clock.advance(1);
  assert.equal(held.outcome, 'same');
});

test('an event with the state that the client has already ends nothing', async () => {
  const { clock, script, hold } = await scene();
  const held = hold({}, { isNews: () => false });
  script.reply = jsonAnswer('{"n":2}');
  await clock.advance(1.5 * EVERY_MS);
  assert.equal(held.outcome, undefined);
  await clock.advance(EVERY_MS);
  assert.equal(held.outcome, 'same');
});

test('a change between the look at the state and the hold is not slept over', async () => {
  const { clock, script, hold, stream } = await scene();
  const other = stream();
  script.reply = jsonAnswer('{"n":2}');
  await clock.advance(1.5 * EVERY_MS);
  assert.equal(other.sink.events.at(-1)?.data.toString(), '{"n":2}');
  const held = hold();
  await clock.advance(0);
  assert.equal(held.outcome, 'changed');
});

test('a site that fails ends no hold before its time', async () => {
  const { clock, script, channel, hold } = await scene();
  const held = hold();
  script.reply = answer(500);
  await clock.advance(HOLD_MS - 1);
  assert.ok(channel.isStale);
  assert.equal(held.outcome, undefined);
  await clock.advance(1);
  assert.equal(held.outcome, 'same');
});

test('a site that refuses ends it at once', async () => {
  for (const status of [401, 410]) {
    const { clock, script, hold } = await scene();
    const held = hold();
    await clock.advance(0);
    script.reply = answer(status);
    await clock.advance(1.5 * EVERY_MS);
    assert.equal(held.outcome, 'ended');
  }
});

test('a client that leaves is held no more', async () => {
  const { clock, hold } = await scene();
  const held = hold();
  await clock.advance(0);
  held.res.emit('close');
  await clock.advance(0);
  assert.equal(held.outcome, 'left');
});

test('all are released at once when the proxy stops', async () => {
  const { clock, hold, holder } = await scene();
  const all = [hold(), hold({}, { yieldsToNewer: true }), hold({ address: '192.0.2.2' })];
  await clock.advance(0);
  holder.release();
  await clock.advance(0);
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ['same', 'same', 'same'],
  );
});

const ENDS: readonly [how: string, end: (held: Held, holder: Holder) => void][] = [
  ['its client leaves', ({ res }) => res.emit('close')],
  ['it is released', (_held, holder) => holder.release()],
];
for (const [how, end] of ENDS) {
  test(`when ${how} nothing of it stays: no subscriber, listener, timer or poll`, async () => {
    const { fixture, clock, hold, holder, channel, script } = await scene();
    const held = hold({}, { yieldsToNewer: true });
    await clock.advance(0);
    assert.equal(channel.subscriberCount, 1);
    end(held, holder);
    await clock.advance(0);
    assert.equal(channel.subscriberCount, 0);
    assert.equal(held.res.listenerCount('close'), 0);
    await clock.advance(LINGER_MS);
    assert.equal(fixture.closedCount, 1);
    assert.equal(clock.pending, 0);
    const polls = script.sent.length;
    await clock.advance(10 * EVERY_MS);
    assert.equal(script.sent.length, polls);
  });
}

test('a newer request of the same client takes the place of the older one', async () => {
  const { clock, hold } = await scene();
  const client = { headers: ['User-Agent', 'x', 'Cookie', 'a=1', 'Accept', 'text/html'] };
  const first = hold(client, { yieldsToNewer: true });
  await clock.advance(0);
  const second = hold({ headers: ['user-agent', 'x', 'cookie', 'a=1'] }, { yieldsToNewer: true });
  await clock.advance(0);
  assert.deepEqual([first.outcome, second.outcome], ['same', undefined]);
  const third = hold(client, { yieldsToNewer: true });
  await clock.advance(0);
  assert.deepEqual([second.outcome, third.outcome], ['same', undefined], 'and so on');
});

test('who has asked to be held does not yield, and takes nobody away', async () => {
  const { clock, hold } = await scene();
  const all = [hold(), hold({}, { yieldsToNewer: true }), hold(), hold()];
  await clock.advance(0);
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    [undefined, undefined, undefined, undefined],
  );
});

const OTHERS: readonly [difference: string, one: Client, other: Client][] = [
  ['address', { address: '192.0.2.1' }, { address: '192.0.2.2' }],
  ['browser', { headers: ['User-Agent', 'a'] }, { headers: ['User-Agent', 'b'] }],
  ['cookie', { headers: ['Cookie', 'a=1'] }, { headers: ['Cookie', 'a=2'] }],
  ['user', { headers: ['Authorization', 'a'] }, { headers: ['Authorization', 'b'] }],
  ['header', { headers: ['Cookie', 'a'] }, { headers: ['Authorization', 'a'] }],
];
for (const [difference, one, other] of OTHERS) {
  test(`clients of another ${difference} do not take each other's place`, async () => {
    const { clock, hold } = await scene();
    const held = [one, other].map((client) => hold(client, { yieldsToNewer: true }));
    await clock.advance(0);
    assert.deepEqual(
      held.map(({ outcome }) => outcome),
      [undefined, undefined],
    );
  });
}
