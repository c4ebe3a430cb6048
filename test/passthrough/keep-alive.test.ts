import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST = 'POST /pay HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n1 $';
const DELETE = 'DELETE /order HTTP/1.1\r\nHost: a\r\n\r\n';

/** A site that closes the kept connections just when they are used again. */
function startStale(t: Parameters<typeof startRawUpstream>[0], stale: number, how: string) {
  return startRawUpstream(t, (peer: RawPeer, index) => {
    peer.socket.once('data', () => {
      peer.send(OK);
      if (index < stale) {
        peer.socket.once('data', () => (how === 'FIN' ? peer.socket.end() : peer.reset()));
      } else {
        peer.socket.on('data', () => peer.send(OK));
      }
    });
  });
}

for (const how of ['FIN', 'RST']) {
  for (const request of [get('/x'), 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n']) {
    const method = request.slice(0, 4).trim();
    test(`${method} on a connection that dies just then is asked again (${how})`, async (t) => {
      const upstream = await startStale(t, 1, how);
      const proxy = await startTestProxy(t, { site: upstream.url });
      assert.equal((await ask(t, proxy.port, get('/first'))).status, 200);
      assert.equal((await ask(t, proxy.port, request)).status, 200);
      assert.equal(upstream.connections.length, 2);
      assert.ok(upstream.connections[0]?.received.includes(`${method} /x`), 'it was used');
    });
  }

  for (const request of [POST, DELETE]) {
    const method = request.split(' ', 1)[0] ?? '';
    test(`${method} on a connection that dies just then is not asked again (${how})`, async (t) => {
      const upstream = await startStale(t, 1, how);
      const proxy = await startTestProxy(t, { site: upstream.url });
      assert.equal((await ask(t, proxy.port, get('/first'))).status, 200);
      const answer = await ask(t, proxy.port, request);
      assert.equal(answer.status, 502);
      assert.match(answer.body, /^UPSTREAM_RESET: /);
      assert.equal((await ask(t, proxy.port, get('/next'))).status, 200);
      const all = upstream.connections.map(({ received }) => received).join('');
      assert.equal(all.split(`${method} /`).length - 1, 1, 'the site saw it once');
    });
  }
}

test('GET is asked again on a new connection when several kept ones are dead', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const first = [ask(t, proxy.port, get('/a')), ask(t, proxy.port, get('/b'))];
  for (const site of [await upstream.connection(0), await upstream.connection(1)]) {
    await site.receive('\r\n\r\n');
    site.send(OK);
    site.socket.once('data', () => site.socket.end());
  }
  for (const answer of first) assert.equal((await answer).status, 200);

  const again = ask(t, proxy.port, get('/c'));
  const fresh = await Promise.race([upstream.connection(2), again]);
  if ('socket' in fresh) {
    await fresh.receive('GET /c');
    fresh.send(OK);
  }
  assert.equal((await again).status, 200);
});

test('GET is asked twice at most', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => peer.socket.end());
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  assert.equal((await ask(t, proxy.port, get('/x'))).status, 502);
  assert.equal(upstream.connections.length, 2);
});

test('requests share a kept connection to the site', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (const path of ['/a', '/b', '/c']) await ask(t, proxy.port, get(path));
  assert.equal(upstream.connections.length, 1);
});

test('a site that closes its connection leaves that of the client open', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok');
      peer.socket.end();
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  for (const path of ['/a', '/b']) {
    const from = client.received.length;
    client.send(get(path));
    const answer = await readAnswer(client, { from });
    assert.equal(answer.body, 'ok');
    assert.deepEqual(answer.values('connection'), ['keep-alive']);
  }
  assert.equal(upstream.connections.length, 2);
});

test('a client that wants to close is told so, the connection to the site is kept', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/x', 'Connection: close'));
  assert.equal(await client.closed, 'end');
  assert.match(client.received, /\r\nConnection: close\r\n/i);
  await ask(t, proxy.port, get('/y'));
  assert.equal(upstream.connections.length, 1);
  assert.doesNotMatch(upstream.connections[0]?.received ?? '', /connection: close/i);
});

test('requests sent at once on one connection are answered in order', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/a') + get('/b'));
  const sites = [await upstream.connection(0), await upstream.connection(1)];
  for (const site of sites) await site.receive('\r\n\r\n');
  // The later one first.
  for (const path of ['/b', '/a']) {
    const site = sites.find(({ received }) => received.startsWith(`GET ${path} `));
    site?.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${path}`);
  }
  const first = await readAnswer(client);
  const second = await readAnswer(client, { from: client.received.indexOf('HTTP/1.1', 1) });
  assert.deepEqual([first.body, second.body], ['/a', '/b']);
});

test('bytes that nobody asked for never answer the next request', async (t) => {
  const upstream = await startRawUpstream(t, (peer, index) => {
    peer.socket.on('data', () => {
      const poison = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
      peer.send(index === 0 ? OK + poison : OK);
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  assert.equal((await ask(t, proxy.port, get('/a'))).body, 'ok');
  assert.equal((await ask(t, proxy.port, get('/b'))).body, 'ok');
});
