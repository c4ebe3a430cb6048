import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { begin, bugs } from './both-ends.ts';

const POST = 'POST /up HTTP/1.1\r\nHost: a\r\n';
const LENGTH = `${POST}Content-Length: 6\r\n\r\n`;
const CHUNKS = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
const NO = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno';
const BIG = 8 * 1_024 * 1_024;

for (const lenient of [false, true]) {
  for (const [framing, head, part, rest] of [
    ['a length', LENGTH, 'abc', 'def'],
    ['chunks', CHUNKS, '3\r\nabc\r\n', '3\r\ndef\r\n0\r\n\r\n'],
  ] as const) {
    const name = `${framing}, lenient ${lenient}`;

    test(`a client that waits for the answer before it sends the rest gets it: ${name}`, async (t) => {
      const { client, site } = await begin(t, head + part, { site: { lenient }, arrived: 'abc' });
      site.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
      await client.receive('hi');
      client.send(rest);
      await site.receive('def');
      site.send('0\r\n\r\n');
      const answer = await readAnswer(client);
      assert.deepEqual([answer.body, answer.isWhole], ['hi', true]);
    });

    test(`a client that sends the head only and waits is heard by the site: ${name}`, {
      timeout: 20_000,
    }, async (t) => {
      const { client, site } = await begin(t, head, { site: { lenient } });
      site.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
      assert.equal((await readAnswer(client)).body, 'hi');
    });

    for (const how of ['closes', 'resets'] as const) {
      test(`a refusal of half an upload arrives when the site ${how} behind it: ${name}`, async (t) => {
        const { client, site, proxy } = await begin(t, head + part, {
          site: { lenient },
          arrived: 'abc',
        });
        site.send(NO);
        await client.receive('403');
        if (how === 'closes') site.socket.end();
        else site.reset();
        await site.closed;
        client.send(rest);
        const answer = await readAnswer(client);
        assert.deepEqual([answer.status, answer.body, answer.isWhole], [403, 'no', true]);
        assert.deepEqual(bugs(proxy), []);
      });
    }
  }

  test(`a refusal of a big upload is read by a client that sends all of it first: lenient ${lenient}`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => {
        peer.send(NO);
        peer.socket.end();
      });
    });
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
    const client = connectRaw(t, proxy.port);
    client.socket.pause();
    client.send(`${POST}Content-Length: ${BIG}\r\n\r\n`);
    client.send(Buffer.alloc(BIG));
    await Promise.race([once(client.socket, 'drain'), client.closed]);
    client.socket.resume();
    const answer = await readAnswer(client);
    assert.deepEqual([answer.status, answer.body, answer.isWhole], [403, 'no', true]);
  });

  test(`a failure is read by a client that sends a big upload first: lenient ${lenient}`, async (t) => {
    const url = `http://127.0.0.1:${await unusedPort()}`;
    const proxy = await startTestProxy(t, { site: { url, lenient } });
    const client = connectRaw(t, proxy.port);
    client.socket.pause();
    client.send(`${POST}Content-Length: ${BIG}\r\n\r\n`);
    client.send(Buffer.alloc(BIG));
    await Promise.race([once(client.socket, 'drain'), client.closed]);
    client.socket.resume();
    const answer = await readAnswer(client);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_UNREACHABLE: /);
  });
}

test('what is left of a refused upload never becomes a request of its own', async (t) => {
  const hidden = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
  const head = `${POST}Content-Length: ${3 + hidden.length}\r\n\r\nabc`;
  const { client, site, upstream } = await begin(t, head, { arrived: 'abc' });
  site.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  await client.receive('no');
  client.send(hidden);
  client.send('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const next = Promise.race([upstream.connection(1), client.closed]);
  const other = await next;
  if (typeof other !== 'string') {
    await other.receive('\r\n\r\n');
    assert.match(other.received, /^GET \/next /);
    other.send('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await client.closed;
  }
  const all = upstream.connections.map(({ received }) => received).join('');
  assert.doesNotMatch(all, /hidden/);
});
