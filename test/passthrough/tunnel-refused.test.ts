import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { beginHandshake, HANDSHAKE, upgrade } from '../support/raw-websocket.ts';

const NO: Record<string, string> = {
  'a length': 'HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\nX-Why: you\r\n\r\nno!\n',
  chunks:
    'HTTP/1.1 403 Forbidden\r\nX-Why: you\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nno!\n\r\n0\r\n\r\n',
};

for (const [framing, bytes] of Object.entries(NO)) {
  test(`a site that refuses an upgrade is heard by the client: ${framing}`, async (t) => {
    const upstream = await answerWith(t, bytes);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, upgrade());
    assert.deepEqual([answer.status, answer.body, answer.isWhole], [403, 'no!\n', true]);
    assert.deepEqual(answer.values('x-why'), ['you']);
    assert.equal(answer.rest, '');
  });
}

for (const how of ['FIN', 'RST'] as const) {
  test(`a refusal that the site cuts (${how}) is cut`, { timeout: 30_000 }, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => {
        peer.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno!');
      });
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(upgrade());
    await client.receive('no!');
    const site = await upstream.connection(0);
    if (how === 'FIN') site.socket.end();
    else site.reset();
    const answer = await readAnswer(client);
    assert.deepEqual([answer.body, answer.isWhole], ['no!', false]);
  });
}

test('an upgrade to a site that cannot be reached is a 502', async (t) => {
  const proxy = await startTestProxy(t, { site: `http://127.0.0.1:${await unusedPort()}` });
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  const answer = await readAnswer(client);
  assert.equal(answer.status, 502);
  assert.match(answer.body, /^UPSTREAM_UNREACHABLE: /);
  await client.closed;
  assert.match(proxy.lines.at(-1)?.message ?? '', /ECONNREFUSED/);
});

for (const how of ['closes', 'resets'] as const) {
  test(`an upgrade is a 502 when the site ${how} before its answer`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => (how === 'closes' ? peer.socket.end() : peer.reset()));
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, upgrade());
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_RESET: /);
    assert.equal(upstream.connections.length, 1, 'an upgrade is not asked twice');
  });

  test(`a client that ${how} before the 101 ends the upgrade`, async (t) => {
    const { proxy, client, site } = await beginHandshake(t);
    if (how === 'closes') client.socket.end();
    else client.reset();
    await site.closed;
    assert.deepEqual(
      proxy.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });

  test(`the site's refusal ends when the client ${how} in its middle`, {
    timeout: 30_000,
  }, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => {
        peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      });
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(upgrade());
    await client.receive('abc');
    if (how === 'closes') client.socket.end();
    else client.reset();
    await (await upstream.connection(0)).closed;
  });
}

test('an upgrade that the site does not answer is a 504', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: { url: upstream.url, responseTimeout: '300ms' } });
  const answer = await ask(t, proxy.port, upgrade());
  assert.equal(answer.status, 504);
  assert.match(answer.body, /^UPSTREAM_TIMEOUT: /);
  await (await upstream.connection(0)).closed;
});

test('an answer to an upgrade that is not HTTP is a 502', async (t) => {
  const upstream = await answerWith(t, 'SSH-2.0-OpenSSH_9.2\r\n\r\n');
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(t, proxy.port, upgrade());
  assert.equal(answer.status, 502);
  assert.match(answer.body, /^UPSTREAM_INVALID: /);
});

test('a client may not send without end before the 101', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  await (await upstream.connection(0)).receive('\r\n\r\n');
  client.send(Buffer.alloc(200_000));
  await client.closed;
  await (await upstream.connection(0)).closed;
});

for (const target of ['/_comet/sse', '/_comet/sse?url=%2Fx', '/%5Fcomet/x', '/_comet']) {
  test(`an upgrade under our own path is a 404: ${target}`, async (t) => {
    const upstream = await startRawUpstream(t);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, upgrade(target));
    assert.equal(answer.status, 404);
    assert.match(answer.body, /^NOT_FOUND: /);
    assert.equal(upstream.connections.length, 0);
  });
}

test('a bad host is refused before a tunnel is opened', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(t, proxy.port, get('/ws', ...HANDSHAKE, 'Host: second.test'));
  assert.equal(answer.status, 400);
  assert.equal(upstream.connections.length, 0);
});
