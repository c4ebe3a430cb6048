import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponential, seededRandom } from './random.ts';
import { discoverIn, headers, inShort, ticks } from './scenes.ts';

test('clients that each have another interval agree on nothing', () => {
  const timers = [3_100, 7_300, 13_700, 29_900, 41_300].map((everyMs, i) => {
    return { everyMs, times: 30, client: `client ${i}`, target: '/report' };
  });
  assert.deepEqual(inShort(discoverIn(...timers)), []);
  assert.deepEqual(inShort(discoverIn(...timers.slice(0, 1))), ['poll GET /report every 3100']);
});

test('timers of hidden pages, which browsers call once a minute, do not count', () => {
  const [shown, hidden] = [
    { everyMs: 4_000, client: 'anna', target: '/a' },
    { everyMs: 60_000, client: 'ben', target: '/a' },
  ];
  assert.deepEqual(inShort(discoverIn(shown, hidden)), ['poll GET /a every 4000']);
});

test('a timer that starts when the answer is there is told from one that does not wait', () => {
  const random = seededRandom(2);
  const took = Array.from({ length: 30 }, () => 20 + exponential(random, 80));
  let at = 0;
  const starts = took.map((ms) => {
    const start = at;
    at += ms + 2_000;
    return start;
  });
  const after = ticks({ everyMs: 1, times: 30, target: '/after' }).map((seen, i) => {
    return { ...seen, atMs: seen.atMs + (starts[i] ?? 0), durationMs: took[i] ?? 0 };
  });
  const fixed = {
    everyMs: 2_000,
    times: 30,
    target: '/fixed',
    request: (i: number) => ({ durationMs: took[i] }),
  };
  const kinds = discoverIn(after, fixed).found.map(({ path, kind }) => [path, kind]);
  assert.deepEqual(kinds.sort(), [
    ['/after', 'poll-after-answer'],
    ['/fixed', 'poll'],
  ]);
});

test('requests that the site holds, and that come again at once, are long polls and left alone', () => {
  const random = seededRandom(4);
  let at = 0;
  const held = ticks({ everyMs: 1, times: 12, target: '/events' }).map((seen) => {
    const durationMs = 3_000 + random() * 22_000;
    const request = { ...seen, atMs: seen.atMs + at, durationMs };
    at += durationMs + 20;
    return request;
  });
  const report = discoverIn(held);
  assert.deepEqual(inShort(report), ['long-poll GET /events']);
  assert.match(report.found[0]?.obstacle ?? '', /the site holds these requests itself/);
  assert.equal(report.config, undefined);
});

test('what only says that somebody is there has to reach the site', () => {
  const report = discoverIn(
    { everyMs: 20_000, target: '/alive', request: { bytes: 2, content: undefined } },
    { everyMs: 20_000, target: '/beacon', request: { bytes: 0, status: 204, content: undefined } },
    {
      everyMs: 20_000,
      target: '/touch',
      body: () => ({}),
      request: { bytes: 4, content: undefined },
    },
    { everyMs: 20_000, target: '/unread-count', request: { bytes: 7, content: undefined } },
  );
  assert.deepEqual(inShort(report), [
    'heartbeat GET /alive every 20000',
    'heartbeat GET /beacon every 20000',
    'heartbeat POST /touch every 20000',
    'poll GET /unread-count every 20000',
  ]);
});

test('probes and crawlers are told as such, and pages of few people are not', () => {
  const report = discoverIn(
    {
      everyMs: 10_000,
      target: '/healthz',
      client: 'probe',
      request: { sender: 'robot', page: undefined },
    },
    {
      everyMs: 15_000,
      target: '/feed.xml',
      client: 'reader',
      request: { sender: 'program', page: undefined },
    },
    { everyMs: 15_000, target: '/bare', client: 'copier', request: { page: undefined } },
    { everyMs: 5_000, target: '/status' },
  );
  assert.deepEqual(inShort(report), [
    'monitor GET /bare every 15000',
    'monitor GET /feed.xml every 15000',
    'monitor GET /healthz every 10000',
    'poll GET /status every 5000',
  ]);
});

test('robots are no pages, however many they are and whatever page they say they come from', () => {
  const robots = ['a', 'b', 'c', 'd'].map((client) => {
    return { everyMs: 5_000, client, target: '/state', request: { sender: 'robot' } as const };
  });
  assert.deepEqual(inShort(discoverIn(...robots)), ['monitor GET /state every 5000']);
});

test('programs that many people run are no monitors', () => {
  const apps = ['a', 'b', 'c', 'd'].map((client) => {
    return {
      everyMs: 5_000,
      client,
      target: '/api/state',
      request: { sender: 'program', page: undefined } as const,
    };
  });
  assert.deepEqual(inShort(discoverIn(...apps)), ['poll GET /api/state every 5000']);
});

test('what is pushed already is told, once, and needs no rhythm', () => {
  const report = discoverIn({
    everyMs: 1,
    times: 1,
    target: '/socket.io/?EIO=4&t=Pabc',
    request: { kind: 'push' },
  });
  assert.deepEqual(inShort(report), ['push GET /socket.io/']);
  assert.match(report.notes.join(), /nothing is polled/);
});

test('what comes with a page that loads itself again is no poll of its own', () => {
  const report = discoverIn(
    { everyMs: 30_000, target: '/board', request: { kind: 'page', page: '/board' } },
    { everyMs: 30_000, startMs: 200, target: '/board.json', request: { page: '/board' } },
    {
      everyMs: 30_000,
      startMs: 400,
      target: '/chart.png',
      request: { kind: 'image', page: '/board' },
    },
    { everyMs: 10_000, times: 60, startMs: 700, target: '/ticker', request: { page: '/board' } },
  );
  assert.deepEqual(inShort(report), [
    'poll GET /ticker every 10000',
    'refresh GET /board every 30000',
  ]);
});

test('paths that differ in an id only are one, and a single one stays as it is', () => {
  const orders = [1001, 1002, 1017].map((id, i) => {
    return { everyMs: 5_000, client: `client ${i}`, target: `/orders/${id}/state` };
  });
  const report = discoverIn(
    ...orders,
    { everyMs: 5_000, target: '/jobs/77' },
    { everyMs: 5_000, target: '/a/b' },
    { everyMs: 5_000, target: '/a/c' },
  );
  assert.deepEqual(inShort(report), [
    'poll GET /a/b every 5000',
    'poll GET /a/c every 5000',
    'poll GET /jobs/77 every 5000',
    'poll GET /orders/:id/state every 5000',
  ]);
  assert.match(
    report.config ?? '',
    /If there are others like it: "\/jobs\/:id"\n *"\/jobs\/77": \{/,
  );
});

test('two tabs of one order do not make it another interval than that of other orders', () => {
  const orders = Array.from({ length: 6 }, (_, i) => {
    return { everyMs: 8_000, client: `client ${i}`, target: `/orders/${100 + i}` };
  });
  const tab = { everyMs: 8_000, startMs: 4_000, client: 'client 5', target: '/orders/105' };
  assert.deepEqual(inShort(discoverIn(...orders, tab)), ['poll GET /orders/:id every 8000']);
});

test('methods other than GET and POST, failures and assets are not polled', () => {
  const report = discoverIn(
    { everyMs: 5_000, target: '/put', request: { method: 'PUT' } },
    { everyMs: 5_000, target: '/gone', request: { status: 404 } },
    { everyMs: 5_000, target: '/broken', request: { status: 502 } },
    { everyMs: 5_000, target: '/login', request: { status: 302 } },
    { everyMs: 5_000, target: '/style.css', request: { kind: 'asset' } },
    { everyMs: 5_000, target: '/head', request: { method: 'HEAD' } },
  );
  assert.deepEqual(inShort(report), ['poll HEAD /head every 5000']);
  assert.match(report.found[0]?.obstacle ?? '', /asked for by HEAD/);
});

test('the rate now, the rate after and what is saved are told by who may share', () => {
  const clients = Array.from({ length: 10 }, (_, i) => ({
    everyMs: 2_000,
    times: 51,
    client: `c${i}`,
    startMs: i * 150,
  }));
  const [open] = discoverIn(
    ...clients.map((one) => ({
      ...one,
      target: '/open',
      request: { content: undefined, bytes: 1_000 },
    })),
  ).found;
  assert.ok(open);
  assert.equal(open.clients, 10);
  assert.equal(open.requests, 510);
  assert.ok(Math.abs(open.perSecond.now - 5) < 0.2, `${open.perSecond.now}`);
  assert.equal(open.perSecond.after, 0.5);
  assert.ok(Math.abs((open.savedBytesPerSecond ?? 0) - 4_500) < 200);
  assert.deepEqual(open.unchanged, { share: 1, by: 'size' });

  const own = clients.map((one, i) => ({
    ...one,
    target: '/own',
    request: { content: `of ${i}`, headers: headers({ cookies: ['SESSION'] }) },
  }));
  const [personal] = discoverIn(...own).found;
  assert.equal(personal?.sharing.kind, 'personal');
  assert.equal(personal?.perSecond.after, personal?.perSecond.now);
});

test('other hosts of a recording are left out, and named', () => {
  const own = { everyMs: 5_000, target: '/status', request: { host: 'shop.example' } };
  const page = {
    everyMs: 1,
    times: 1,
    target: '/',
    request: { host: 'shop.example', kind: 'page' } as const,
  };
  const foreign = {
    everyMs: 1_000,
    times: 90,
    target: '/collect',
    request: { host: 'stats.example' },
  };
  const report = discoverIn(own, page, foreign);
  assert.deepEqual(inShort(report), ['poll GET /status every 5000']);
  assert.deepEqual(report.notes, [
    '90 requests went to other hosts and were left out: stats.example',
  ]);
});

test('where nothing is found, it is said why that may be', () => {
  const short = discoverIn({ everyMs: 5_000, times: 4, target: '/status' });
  assert.match(short.notes.join('\n'), /recorded for 15 s only: a page has to stay open for six/);
  assert.match(short.notes.join('\n'), /no client asked for anything 5 times/);
  assert.deepEqual(discoverIn([]).notes, ['nothing is polled: no request was recorded']);
  const random = seededRandom(9);
  const crowd = ticks({ everyMs: 1, times: 900, client: '10.0.0.1', target: '/status' }).map(
    (seen) => {
      const atMs = seen.atMs + random() * 600_000;
      return { ...seen, atMs: Math.floor(atMs / 1_000) * 1_000, resolutionMs: 1_000 };
    },
  );
  assert.match(discoverIn(crowd).notes.join('\n'), /one or two addresses: behind another proxy/);
});
