import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { PollRequest } from '../../src/poll/fetch.ts';
import { createLenientFetch } from '../../src/poll/lenient-fetch.ts';
import { defaultServerName } from '../../src/shared/upstream.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { openEventStream } from '../support/stream-client.ts';
import { fetchDecoded, rejects } from './fetch-setup.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const MAX_BYTES = 10_000;

/** Polls of an upstream that speaks bytes. */
async function setUp(t: TestContext, onRequest: (peer: RawPeer, index: number) => void) {
  const upstream = await startRawUpstream(t, (peer, index) => {
    peer.socket.once('data', () => onRequest(peer, index));
  });
  return { upstream, ...pollsOf(upstream.url) };
}

function pollsOf(origin: string) {
  const url = new URL(origin);
  const clock = createFakeClock();
  const tls = { ca: undefined, serverName: defaultServerName(url), verify: true };
  const fetch = createLenientFetch({ url, tls }, clock);
  const defaults = {
    method: 'GET' as const,
    body: undefined,
    target: '/state',
    headers: ['Host', 'a'],
    timeoutMs: 5_000,
    maxBytes: MAX_BYTES,
  };
  return {
    clock,
    get: (request: Partial<PollRequest> = {}, signal = new AbortController().signal) =>
      fetchDecoded(fetch, { ...defaults, ...request }, signal),
  };
}

const BROKEN: Record<string, string> = {
  'bare line feeds': 'HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok',
  'a folded header': `${OK}X-A: a\r\n b\r\nContent-Length: 2\r\n\r\nok`,
  'a control character': `${OK}X-A: a\x01b\r\nContent-Length: 2\r\n\r\nok`,
  'a 100 that nobody asked for': `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  'early hints': `HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`,
  chunks: `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
  'the end of the connection': 'HTTP/1.0 200 OK\r\n\r\nok',
};

for (const [name, bytes] of Object.entries(BROKEN)) {
  test(`a lenient poll reads what is broken: ${name}`, async (t) => {
    const { upstream, clock, get } = await setUp(t, (peer) => {
      peer.send(bytes);
      peer.socket.end();
    });
    const answer = await get({ headers: ['Host', 'a', 'X-B', 'caf\xe9', 'X-B', '2'] });
    assert.deepEqual([answer.status, answer.body.toString()], [200, 'ok']);
    assert.equal(clock.pending, 0);
    const head = upstream.connections[0]?.received ?? '';
    assert.match(head, /^GET \/state HTTP\/1\.1\r\nHost: a\r\nX-B: caf\xe9\r\nX-B: 2\r\n/);
  });
}

test('each lenient poll has a connection of its own', async (t) => {
  const { upstream, get } = await setUp(t, (peer) => peer.send(`${OK}Content-Length: 2\r\n\r\nok`));
  for (let i = 0; i < 3; i++) await get();
  assert.equal(upstream.connections.length, 3);
  for (const { closed } of upstream.connections) await closed;
});

for (const [status, head] of [
  [304, 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n'],
  [204, 'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n'],
] as const) {
  test(`a lenient poll takes a ${status} for whole with its head`, async (t) => {
    const { get } = await setUp(t, (peer) => peer.send(head));
    const answer = await get();
    assert.deepEqual(
      [answer.status, answer.headers.get('etag'), answer.body.length],
      [status, '"a"', 0],
    );
  });
}

test('a lenient poll decompresses gzip, within its bound', async (t) => {
  const bodies = [gzipSync('{"n":1}'), gzipSync(Buffer.alloc(MAX_BYTES + 1))];
  const { get } = await setUp(t, (peer, index) => {
    const body = bodies[index] ?? Buffer.alloc(0);
    peer.send(`${OK}Content-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
    peer.send(body);
  });
  assert.equal((await get()).body.toString(), '{"n":1}');
  await rejects(get(), 'UPSTREAM_TOO_LARGE');
});

for (const [name, bytes] of [
  ['a length', `${OK}Content-Length: 9\r\n\r\nhalf`],
  ['chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n`],
] as const) {
  for (const how of ['end', 'reset'] as const) {
    test(`half an answer is none to a lenient poll: ${name}, ${how}`, async (t) => {
      const { upstream, get, clock } = await setUp(t, (peer) => {
        peer.socket.write(bytes, 'latin1', () =>
          how === 'end' ? peer.socket.end() : peer.reset(),
        );
      });
      await rejects(get(), 'UPSTREAM_RESET');
      assert.equal(upstream.connections.length, 2, 'it is asked once more');
      assert.equal(clock.pending, 0);
    });
  }
}

test('an answer without an end that is reset is none', async (t) => {
  const { upstream, get } = await setUp(t, (peer, index) => {
    if (index === 0) peer.send('HTTP/1.0 200 OK\r\n\r\n{"half":');
    else peer.send(`${OK}Content-Length: 2\r\n\r\nok`);
  });
  const answer = get();
  const first = await upstream.connection(0);
  await first.receive('\r\n\r\n');
  // Only what was read can be half an answer.
  await new Promise((resolve) => setTimeout(resolve, 50));
  first.reset();
  assert.equal((await answer).body.toString(), 'ok');
});

const FAILURES: readonly (readonly [name: string, bytes: string, code: 'UPSTREAM_INVALID'])[] = [
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', 'UPSTREAM_INVALID'],
  ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!`, 'UPSTREAM_INVALID'],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'UPSTREAM_INVALID',
  ],
  ['Brotli', `${OK}Content-Encoding: br\r\nContent-Length: 2\r\n\r\nok`, 'UPSTREAM_INVALID'],
  ['a coding that is not chunks', `${OK}Transfer-Encoding: gzip\r\n\r\nok`, 'UPSTREAM_INVALID'],
];

for (const [name, bytes, code] of FAILURES) {
  test(`a lenient poll fails, and the process lives: ${name}`, async (t) => {
    const { upstream, get, clock } = await setUp(t, (peer) => {
      peer.send(bytes);
      peer.socket.end();
    });
    await rejects(get(), code);
    await upstream.connections[0]?.closed;
    assert.equal(clock.pending, 0);
  });
}

test('a lenient poll of nobody is unreachable', async () => {
  const { get } = pollsOf(`http://127.0.0.1:${await unusedPort()}`);
  await rejects(get(), 'UPSTREAM_UNREACHABLE');
});

for (const [where, bytes] of [
  ['head', ''],
  ['body', `${OK}Content-Length: 9\r\n\r\nhalf`],
] as const) {
  test(`a lenient poll times out in the ${where}, and hangs up`, async (t) => {
    const { upstream, clock, get } = await setUp(t, (peer) => peer.send(bytes));
    const poll = rejects(get({ timeoutMs: 5_000 }), 'UPSTREAM_TIMEOUT');
    const site = await upstream.connection(0);
    await site.receive('\r\n\r\n');
    await clock.advance(5_000);
    await poll;
    await site.closed;
    assert.equal(clock.pending, 0);
  });

  test(`a lenient poll that is abandoned in the ${where} hangs up, and is not repeated`, async (t) => {
    const { upstream, clock, get } = await setUp(t, (peer) => peer.send(bytes));
    const controller = new AbortController();
    const poll = rejects(get({}, controller.signal), 'UPSTREAM_RESET');
    const site = await upstream.connection(0);
    await site.receive('\r\n\r\n');
    controller.abort();
    await poll;
    await site.closed;
    assert.equal(clock.pending, 0);
    assert.equal(upstream.connections.length, 1);
  });
}

test('a lenient poll that is abandoned before it starts is never sent', {
  timeout: 20_000,
}, async (t) => {
  const { upstream, get } = await setUp(t, (peer) => peer.send(`${OK}Content-Length: 2\r\n\r\nok`));
  await rejects(get({ target: '/never' }, AbortSignal.abort()), 'UPSTREAM_RESET');
  await get({ target: '/next' });
  const all = upstream.connections.map(({ received }) => received).join('');
  assert.doesNotMatch(all, /never/);
});

test('a lenient poll takes no more than its bound', async (t) => {
  const { upstream, get } = await setUp(t, (peer) => {
    peer.send(`${OK}\r\n`);
    peer.send(Buffer.alloc(MAX_BYTES + 1));
  });
  await rejects(get(), 'UPSTREAM_TOO_LARGE');
  await (await upstream.connection(0)).closed;
});

test('a live endpoint of a lenient site is pushed', async (t) => {
  let n = 0;
  const { upstream } = await setUp(t, (peer) => {
    const body = JSON.stringify({ n: ++n });
    peer.send(
      `HTTP/1.1 200 OK\nContent-Type: application/json\nX-A: a\x01\nContent-Length: ${body.length}\n\n${body}`,
    );
  });
  const proxy = await startTestProxy(t, {
    site: { url: upstream.url, lenient: true },
    live: { '/state': { every: '50ms', vary: [] } },
  });
  const stream = await openEventStream(t, `${proxy.url}/state`);
  assert.equal(stream.status, 200);
  const [first, second] = [await stream.next(), await stream.next()];
  assert.match(first.data, /^\{"n":\d+\}$/);
  assert.notEqual(first.data, second.data);
  assert.deepEqual(
    proxy.lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
});
