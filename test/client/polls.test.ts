import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Followed, LiveState, LiveStates, Want } from '../../src/client/live-states.ts';
import { createPolls } from '../../src/client/polls.ts';
import { readTold } from '../../src/client/told.ts';

/** States as a test sets them. */
function scene() {
  const follows: (Want & { set(change: Partial<Followed>): void; left: boolean })[] = [];
  const states: LiveStates = {
    follow(want, onChange) {
      const followed: { -readonly [key in keyof Followed]: Followed[key] } = {
        state: undefined,
        isLive: false,
        lastWord: undefined,
        leave: () => {
          one.left = true;
        },
      };
      const one = {
        ...want,
        left: false,
        set(change: Partial<Followed>) {
          Object.assign(followed, change);
          onChange();
        },
      };
      follows.push(one);
      return followed;
    },
  };
  const time = { now: 1_000_000 };
  const polls = createPolls(states, () => time.now);
  const ask = (target = '/a', headers = {}) =>
    polls.answer({ method: 'GET', target, headers, body: '' })?.data;
  /** The network has answered: once, and if that makes no poll of it, once more. */
  const learn = (header = '"/a";id="e-1";ignore="_"', target = '/a', writes = polls.writes) => {
    const told = readTold(header);
    const once = () =>
      told && polls.learn({ method: 'GET', target, headers: {}, body: '' }, told, writes);
    return once() ?? once();
  };
  const state = (id: string): LiveState => ({
    id,
    status: 200,
    contentType: 'text/plain',
    headers: {},
    data: id,
    isBase64: false,
  });
  const push = (id: string, at = follows.length - 1) =>
    follows[at]?.set({ state: state(id), isLive: true });
  return { polls, follows, ask, learn, push, time };
}

test('the first request goes to the network, further ones are answered from the stream', () => {
  const { ask, learn, push, follows } = scene();
  assert.equal(ask(), undefined);
  learn();
  assert.deepEqual(follows[0]?.address, '/a');
  assert.equal(ask(), undefined);
  push('e-1');
  assert.equal(ask(), 'e-1');
  assert.equal(ask('/a?_=17'), 'e-1');
  push('e-2');
  assert.equal(ask(), 'e-2');
});

test('what is not live, or another request, goes to the network', () => {
  const { ask, learn, push, follows } = scene();
  learn();
  push('e-1');
  assert.equal(ask('/b'), undefined);
  assert.equal(ask('/a', { authorization: 'x' }), undefined);
  follows[0]?.set({ isLive: false });
  assert.equal(ask(), undefined);
});

test('what is asked for once is not followed, nor what is asked for again after long', () => {
  const { polls, follows, time } = scene();
  const told = readTold('"/a";id="e-1"');
  assert.ok(told);
  const once = () => polls.learn({ method: 'GET', target: '/a', headers: {}, body: '' }, told, 0);
  assert.equal(once(), undefined);
  time.now += 90_000;
  assert.equal(once(), undefined);
  assert.equal(follows.length, 0);
  time.now += 60_000;
  assert.ok(once());
  assert.equal(follows.length, 1);
});

test('older data than the page has got by the network does not reach it', () => {
  const { ask, learn, push, time } = scene();
  learn('"/a";id="e-2"');
  push('e-1');
  assert.equal(ask(), undefined);
  push('e-2');
  assert.equal(ask(), 'e-2');
  learn('"/a";id="e-1"');
  assert.equal(ask(), 'e-2');
  learn('"/a";id="e-9"');
  assert.equal(ask(), undefined);
  time.now += 3_000;
  assert.equal(ask(), 'e-2');
});

test('after a write each poll asks the site once', () => {
  const { ask, learn, push, polls } = scene();
  learn();
  push('e-1');
  const end = polls.beginWrite();
  assert.equal(ask(), undefined);
  learn();
  assert.equal(ask(), undefined, 'while it is under way');
  end(true);
  assert.equal(ask(), undefined);
  learn();
  assert.equal(ask(), 'e-1');
});

test('a request that was sent before a write has ended proves nothing', () => {
  const { ask, learn, push, polls } = scene();
  learn();
  push('e-1');
  const before = polls.writes;
  polls.beginWrite()(true);
  learn('"/a";id="e-1"', '/a', before);
  assert.equal(ask(), undefined);
});

test('a write that never ends is none', () => {
  const { ask, learn, push, polls, time } = scene();
  polls.beginWrite();
  learn();
  push('e-1');
  assert.equal(ask(), undefined);
  time.now += 10_000;
  assert.equal(ask(), 'e-1');
});

test('after five minutes the site is asked again, so that its session lives', () => {
  const { ask, learn, push, time } = scene();
  learn();
  push('e-1');
  for (let minute = 0; minute < 5; minute++) {
    time.now += 60_000;
    assert.equal(ask(), 'e-1');
  }
  time.now += 1;
  assert.equal(ask(), undefined);
  learn();
  assert.equal(ask(), 'e-1');
});

test('another ticket is another session: the state of the former is forgotten', () => {
  const { ask, learn, push, follows } = scene();
  learn('"/a";id="e-1";ticket="t1"');
  push('e-1');
  learn('"/a";id="f-1";ticket="t2"');
  assert.equal(follows[0]?.left, true);
  assert.equal(follows[1]?.ticket, 't2');
  assert.equal(ask(), undefined);
  push('f-1');
  assert.equal(ask(), 'f-1');
});

test('after its last word a poll goes to the network and is learned anew', () => {
  const { ask, learn, push, follows } = scene();
  learn();
  push('e-1');
  follows[0]?.set({ lastWord: { event: 'unauthorized', reason: 'ticket' }, isLive: false });
  assert.equal(ask(), undefined);
  learn();
  push('e-1');
  assert.equal(ask(), 'e-1');
  assert.equal(follows.length, 2);
});

test('what the page has not asked for for a while is not followed any more', () => {
  const { learn, push, ask, follows, time } = scene();
  learn();
  push('e-1');
  time.now += 60_000;
  ask();
  time.now += 60_000;
  learn('"/b"', '/b');
  assert.equal(follows[0]?.left, false);
  time.now += 91_000;
  learn('"/c"', '/c');
  assert.deepEqual(
    follows.map(({ left }) => left),
    [true, true, false],
  );
});

test('no more than thirty are followed, those that were asked for last', () => {
  const { learn, follows, time } = scene();
  for (let i = 0; i < 40; i++) {
    time.now += 1;
    learn(`"/a${i}"`, `/a${i}`);
  }
  assert.equal(follows.filter(({ left }) => !left).length, 30);
  assert.equal(follows[0]?.left, true);
  assert.equal(follows[39]?.left, false);
});

test('news are told once each', () => {
  const { learn, push, follows } = scene();
  const poll = learn();
  const news: string[] = [];
  poll?.onNews.push(() => news.push(poll.followed.state?.id ?? ''));
  push('e-1');
  push('e-1');
  follows[0]?.set({ isLive: false });
  push('e-2');
  assert.deepEqual(news, ['e-1', 'e-2']);
});

test('what looked as a write and was a poll makes nothing old', () => {
  const { ask, learn, push, polls } = scene();
  learn();
  push('e-1');
  const end = polls.beginWrite();
  assert.equal(ask(), undefined);
  end(false);
  assert.equal(ask(), 'e-1');
});
