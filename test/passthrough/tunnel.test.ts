import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { ACCEPT, beginHandshake, switching, upgrade } from '../support/raw-websocket.ts';

/** What a site sees, less the request line; names in lower case. */
function headerLines(received: string): string[] {
  const head = received.split('\r\n\r\n', 1)[0] ?? '';
  const lines = head.split('\r\n').slice(1);
  return lines.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase()));
}

test('a WebSocket is a tunnel: bytes pass both ways as they are', async (t) => {
  const { client, site } = await beginHandshake(
    t,
    upgrade('/ws//chat?room=%2e%2e', 'Sec-WebSocket-Protocol: chat, v2'),
  );
  assert.match(site.received, /^GET \/ws\/\/chat\?room=%2e%2e HTTP\/1\.1\r\n/);
  site.send(switching('Sec-WebSocket-Protocol: chat', 'Set-Cookie: a=1', 'Set-Cookie: b=2'));
  await client.receive('\r\n\r\n');
  const answer = await readAnswer(client);
  assert.equal(answer.status, 101);
  assert.deepEqual(answer.values('sec-websocket-accept'), [ACCEPT]);
  assert.deepEqual(answer.values('sec-websocket-protocol'), ['chat']);
  assert.deepEqual(answer.values('set-cookie'), ['a=1', 'b=2']);
  assert.equal(answer.values('upgrade')[0]?.toLowerCase(), 'websocket');
  assert.equal(answer.values('connection')[0]?.toLowerCase(), 'upgrade');

  const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
  client.send(`up${bytes}`);
  await site.receive(`\r\n\r\nup${bytes}`);
  site.send(`down${bytes}`);
  await client.receive(`\r\n\r\ndown${bytes}`);
});

test('a megabyte passes a tunnel both ways', async (t) => {
  const { client, site } = await beginHandshake(t);
  site.send(switching());
  await client.receive('\r\n\r\n');
  const big = Buffer.alloc(1_024 * 1_024, 'abcdefg').toString('latin1');
  client.send(`${big}END`);
  site.send(`${big}END`);
  assert.ok((await site.receive('END')).endsWith(`\r\n\r\n${big}END`));
  assert.ok((await client.receive('END')).endsWith(`\r\n\r\n${big}END`));
});

for (const when of ['with the request', 'while the site thinks', 'in both moments'] as const) {
  test(`what a client sends before the 101 is not lost: ${when}`, async (t) => {
    const { client, site } = await beginHandshake(
      t,
      upgrade() + (when === 'while the site thinks' ? '' : 'early'),
    );
    if (when !== 'with the request') client.send('thinking');
    assert.ok(site.received.endsWith('\r\n\r\n'), 'it waits for the 101');
    site.send(`${switching()}hello`);
    await client.receive('\r\n\r\nhello');
    client.send('later');
    const all = await site.receive('later');
    const wanted = {
      'with the request': 'earlylater',
      'while the site thinks': 'thinkinglater',
      'in both moments': 'earlythinkinglater',
    };
    assert.equal(all.split('\r\n\r\n')[1], wanted[when]);
  });
}

test('what the site says with its 101 is not lost', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => peer.send(`${switching()}first words`));
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  assert.match(await client.receive('first words'), /\r\n\r\nfirst words$/);
});

test('a tunnel carries the identity that we know, and nothing hop-by-hop', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const client = connectRaw(t, proxy.port);
  client.send(
    upgrade(
      '/ws',
      'Connection: keep-alive, X-Private, Cookie',
      'X-Private: a',
      'Cookie: a=caf\xe9',
      'Cookie: b=2',
      'Origin: http://site.test',
      'Keep-Alive: 5',
      'Proxy-Authorization: Basic eA==',
      'TE: trailers',
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Host: forged.example',
      'X-Real-IP: 6.6.6.6',
      'Forwarded: for=6.6.6.6',
      'X_Forwarded_For: 6.6.6.6',
      'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    ),
  );
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  assert.deepEqual(headerLines(site.received).toSorted(), [
    'connection: upgrade',
    'cookie: a=caf\xe9',
    'cookie: b=2',
    'host: site.test',
    'origin: http://site.test',
    'sec-websocket-extensions: permessage-deflate; client_max_window_bits',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version: 13',
    'te: trailers',
    'upgrade: websocket',
    'x-forwarded-for: 127.0.0.1',
    'x-forwarded-host: site.test',
    'x-forwarded-proto: http',
  ]);
});

test('preserveHost: false holds for tunnels too', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: { url: upstream.url, preserveHost: false } });
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  const lines = headerLines(site.received);
  assert.ok(lines.includes(`host: 127.0.0.1:${upstream.port}`));
  assert.ok(lines.includes('x-forwarded-host: site.test'));
});

for (const side of ['client', 'site'] as const) {
  for (const how of ['closes', 'resets'] as const) {
    test(`when the ${side} ${how} an open tunnel the other side is closed`, async (t) => {
      const { client, site } = await beginHandshake(t);
      site.send(`${switching()}hello`);
      await client.receive('hello');
      const [one, other] = side === 'client' ? [client, site] : [site, client];
      one.send('bye');
      await other.receive('bye');
      if (how === 'closes') one.socket.end();
      else one.reset();
      await other.closed;
      assert.ok(other.received.endsWith('bye'), 'nothing is added at the end');
    });
  }
}
