import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import type { Client } from '../contract/transport/clients.ts';
import { BARE_SSE, CLIENTS } from '../contract/transport/clients.ts';
import { read } from '../contract/transport/reader.ts';
import { openEnvelopes } from '../flow/socket-client.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * An id is looked up in the channel of whoever presents it, and nowhere else: with the id of another
 * client, or with one that was made up, a client is told its own state and nothing more.
 */

const READERS: readonly Client[] = [BARE_SSE, ...Object.values(CLIENTS)];

/** A site whose state is a number for each client. */
async function openScene(t: TestContext) {
  let version = 0;
  const site = await startUpstream(t, (req, res) => {
    if (req.method === 'POST') version += 1;
    const body = JSON.stringify({ version, you: req.headers.cookie });
    res.setHeader('content-type', 'application/json').end(body);
  });
  const endpoint = { every: '1h', transports: TRANSPORT_NAMES, refreshOn: ['POST /write'] };
  const proxy = await startTestProxy(t, { site: site.url, live: { '/me': endpoint } });
  /** Give each of these two a few states, and their ids. */
  const idsOf = async (...cookies: string[]) => {
    const readers = cookies.map((cookie) =>
      read(t, BARE_SSE, { proxy }, { '/me': undefined }, { cookie }),
    );
    const ids: string[][] = cookies.map(() => []);
    for (let round = 0; round < 3; round++) {
      if (round > 0) await fetch(`${proxy.url}/write`, { method: 'POST' });
      for (const [index, reader] of readers.entries()) {
        const { id = '' } = await reader.next();
        ids[index]?.push(id);
      }
    }
    return ids;
  };
  return { proxy, idsOf, own: (cookie: string) => ({ version, you: cookie }) };
}

/** Ids that nobody was given, made of those that somebody was. */
function forged(mine: readonly string[], theirs: readonly string[]): string[] {
  const [epoch = '', seq = ''] = (mine.at(-1) ?? '').split('-');
  const [other = ''] = (theirs.at(-1) ?? '').split('-');
  const next = (by: number) => (Number.parseInt(epoch, 36) + by).toString(36);
  return [
    `${other}-${seq}`,
    `${epoch}-0`,
    `${epoch}-${Number(seq) + 1}`,
    `${epoch}-${Number(seq) + 1_000_000}`,
    `${epoch}-0${seq}`,
    `${epoch}-${seq}.0`,
    `${epoch}-${seq}-${seq}`,
    `${epoch}-`,
    `-${seq}`,
    `${epoch}--${seq}`,
    `${epoch.toUpperCase()}-${seq}`,
    `${next(-1)}-${seq}`,
    `${next(1)}-${seq}`,
    epoch,
    seq,
    '0',
    '1',
    '-1',
    '*',
    'now',
    'undefined',
    '__proto__',
    'constructor',
    '~stale',
    `${other}-${seq}~stale`,
    `${epoch}-${seq}~stale~stale`,
    '../../etc/passwd',
    'a'.repeat(128),
    'a'.repeat(129),
  ];
}

test("with another's ids, or with invented ones, a client is told its own state", async (t) => {
  const { proxy, idsOf, own } = await openScene(t);
  const [theirs = [], mine = []] = await idsOf('id=a', 'id=b');
  const ids = [...theirs, ...forged(mine, theirs)];
  const headers = { cookie: 'id=b' };
  const told = ids.flatMap((id) =>
    READERS.flatMap((client) => {
      const bySince = read(t, client, { proxy }, { '/me': id }, headers);
      const withHeader = { ...headers, 'last-event-id': id };
      const readers = client.isBare
        ? [bySince]
        : [bySince, read(t, client, { proxy }, { '/me': undefined }, withHeader)];
      return readers.map(async (reader) => {
        const { event, data } = await reader.next();
        assert.deepEqual([event, data], ['snapshot', own('id=b')], `${client.name} since ${id}`);
        reader.close();
      });
    }),
  );
  await Promise.all(told);
});

test("another's id in a WebSocket message, or as an entity tag, is as good as none", async (t) => {
  const { proxy, idsOf, own } = await openScene(t);
  const [theirs = [], mine = []] = await idsOf('id=a', 'id=b');
  const socket = await openEnvelopes(t, proxy.url, '', { headers: { cookie: 'id=b' } });
  // Who says to have been told that polls fail is told that they work.
  const nextState = async () => {
    const { event, data } = await socket.next();
    return event === 'fresh' ? (await socket.next()).data : data;
  };
  for (const id of [...theirs, ...forged(mine, theirs)]) {
    socket.say({ subscribe: '/me', since: id });
    assert.deepEqual(await nextState(), own('id=b'), id);
    for (const tag of [`"${id}"`, `W/"${id}"`]) {
      if (id === '*') continue; // that one asks whether there is anything
      const lines = ['Cookie: id=b', `If-None-Match: ${tag}`, 'Prefer: wait=50'];
      const answer = await ask(
        t,
        proxy.port,
        get('/me', ...lines).replace('site.test', new URL(proxy.url).host),
      );
      assert.equal(answer.status, 200, tag);
      assert.deepEqual(JSON.parse(answer.body), own('id=b'));
    }
  }
  for (const since of [null, 7, {}, [mine.at(-1)], true]) {
    socket.say({ subscribe: '/me', since });
    assert.deepEqual(await nextState(), own('id=b'), JSON.stringify(since));
  }
});

test('a state that is known is not told again: the ids of its own channel do count', async (t) => {
  const { proxy, idsOf, own } = await openScene(t);
  const [mine = []] = await idsOf('id=b');
  const headers = { cookie: 'id=b' };
  const late = read(t, CLIENTS.poll, { proxy }, { '/me': mine[1] }, headers);
  assert.deepEqual((await late.next()).data, own('id=b'));
  const stream = read(t, CLIENTS.stream, { proxy }, { '/me': mine[0] }, headers);
  const missed = [await stream.next(), await stream.next()];
  assert.deepEqual(
    missed.map(({ id }) => id),
    mine.slice(1),
  );
});

const HUGE = 10_000_000;

test('an id of ten megabytes ends with a refusal, and costs nobody else anything', async (t) => {
  const { proxy, own } = await openScene(t);
  const id = 'a'.repeat(HUGE);
  const requests = [
    [get('/me', 'Accept: text/event-stream', `Last-Event-ID: ${id}`), 431],
    [get('/me', `If-None-Match: "${id}"`), 431],
    [get(`/_comet/poll?url=/me&since=${id}`), 414],
  ] as const;
  for (const [request, status] of requests) {
    const peer = connectRaw(t, proxy.port);
    peer.send(request);
    // It may be cut off while it still sends; what it was told before that counts.
    await Promise.race([peer.closed, peer.receive('\r\n\r\n').catch(() => undefined)]);
    const told = parseAnswer(peer.received)?.status ?? status;
    assert.ok(told === status || told === 431, `${told}`);
  }
  const socket = await openEnvelopes(t, proxy.url, '', { headers: { cookie: 'id=b' } });
  socket.say({ subscribe: '/me', since: id });
  assert.equal((await socket.closed).code, 1009);
  const after = read(t, CLIENTS.stream, { proxy }, { '/me': undefined }, { cookie: 'id=b' });
  assert.deepEqual((await after.next()).data, own('id=b'));
});
