import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { until } from '../support/until.ts';
import { begin } from './both-ends.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const HEAD = 'POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n';
const LENGTH = `${HEAD}Content-Length: 3\r\n\r\n`;
const CHUNKS = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

for (const lenient of [false, true]) {
  for (const head of [LENGTH, CHUNKS]) {
    const name = `${head === LENGTH ? 'length' : 'chunks'}, lenient ${lenient}`;

    test(`a client that waits to send its body is told to go on once: ${name}`, async (t) => {
      const upstream = await startRawUpstream(t);
      const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
      const client = connectRaw(t, proxy.port);
      client.send(head);
      const site = await upstream.connection(0);
      await site.receive('\r\n\r\n');
      assert.equal(client.received, '', 'it is for the site to say');
      site.send('HTTP/1.1 100 Continue\r\n\r\n');
      await client.receive('HTTP/1.1 100 Continue\r\n\r\n');
      client.send(head === LENGTH ? 'abc' : '3\r\nabc\r\n0\r\n\r\n');
      await site.receive(head === LENGTH ? /\r\n\r\nabc$/ : /\r\n0\r\n\r\n$/);
      assert.equal(site.received.match(/^expect: 100-continue\r$/gim)?.length, 1);
      site.send(OK);
      const all = await client.receive('ok');
      assert.equal(all.split('HTTP/1.1 ').length - 1, 2);
      assert.doesNotMatch(all, /connection: close/i);
    });

    test(`a site that does not understand the question gets the body all the same: ${name}`, async (t) => {
      const clock = createFakeClock();
      const { client, site } = await begin(t, head, { site: { lenient }, clock });
      assert.equal(client.received, '');
      await clock.advance(1_000);
      await client.receive('HTTP/1.1 100 Continue\r\n\r\n');
      client.send(head === LENGTH ? 'abc' : '3\r\nabc\r\n0\r\n\r\n');
      await site.receive(head === LENGTH ? /\r\n\r\nabc$/ : /\r\n0\r\n\r\n$/);
      site.send(OK);
      await client.receive('ok');
    });

    test(`a site that cannot be reached is told without asking for the body: ${name}`, async (t) => {
      const url = `http://127.0.0.1:${await unusedPort()}`;
      const proxy = await startTestProxy(t, { site: { url, lenient } });
      const answer = await ask(t, proxy.port, head);
      assert.equal(answer.status, 502);
      assert.deepEqual(answer.values('connection'), ['close'], 'the body may follow unasked');
    });

    test(`a site that is not connected yet does not take the body: ${name}`, async (t) => {
      const upstream = await startRawUpstream(t); // silent in the TLS handshake
      const url = upstream.url.replace('http:', 'https:');
      const proxy = await startTestProxy(t, { site: { url, lenient, connectTimeout: '500ms' } });
      const answer = await ask(t, proxy.port, head);
      assert.equal(answer.status, 504);
    });
  }
}

test('a site that refuses by the head alone is heard, and the body is not asked for', {
  timeout: 20_000,
}, async (t) => {
  const { client, site } = await begin(t, LENGTH);
  site.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno');
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.body], [413, 'no']);
  assert.deepEqual(answer.values('connection'), ['close'], 'the body may follow unasked');
});

test('a client that does not wait for its 100 is served', async (t) => {
  const { client, site } = await begin(t, `${LENGTH}abc`, { arrived: /\r\n\r\nabc$/ });
  site.send(OK);
  const all = await client.receive('ok');
  assert.match(all, /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 200 OK\r\n/);
});

test('an expectation in HTTP/1.0 is ignored', async (t) => {
  const request =
    'POST / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc';
  const { client, site } = await begin(t, request, { arrived: /\r\n\r\nabc$/ });
  assert.doesNotMatch(site.received, /expect/i);
  site.send(OK);
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.body], [200, 'ok']);
});

test('an expectation without a body gets no 100', async (t) => {
  const { client, site } = await begin(
    t,
    'GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n',
  );
  site.send(OK);
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.body], [200, 'ok']);
});

test('a client that leaves while it waits for its 100 leaves nothing behind', async (t) => {
  const upstream = await startRawUpstream(t); // silent in the TLS handshake
  const url = upstream.url.replace('http:', 'https:');
  const proxy = await startTestProxy(t, { site: { url, connectTimeout: '60s' } });
  const client = connectRaw(t, proxy.port);
  client.send(LENGTH);
  await until(() => upstream.connections.length === 1);
  client.reset();
  await client.closed;
  const other = await ask(t, proxy.port, 'GET /_comet/none HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal(other.status, 404);
  assert.deepEqual(
    proxy.lines.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
  );
});
