import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';

test('clients that leave their streams cost the site no new connections', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const clients = Array.from({ length: 5 }, () => connectRaw(t, proxy.port));
  for (const [i, client] of clients.entries()) {
    client.send(get('/stream'));
    const site = await upstream.connection(i);
    await site.receive('\r\n\r\n');
    site.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: hi\n\n');
    await client.receive(': hi');
  }
  for (const client of clients) client.reset();
  await Promise.all(upstream.connections.map(({ closed }) => closed));
  // The next request is behind whatever the proxy would open because of them.
  const answering = ask(t, proxy.port, get('/next'));
  const next = await upstream.connection(5);
  await next.receive('GET /next ');
  next.send(OK);
  assert.equal((await answering).status, 200);
  assert.equal(upstream.connections.length, 6);
});

test('the path of a request whose head goes alone is the one that was sent', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(
    'POST /x/..%2f//y? HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n',
  );
  const site = await upstream.connection(0);
  await site.receive('POST /x/..%2f//y? HTTP/1.1\r\n');
});
