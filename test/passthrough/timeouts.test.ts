import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import { begin, bugs } from './both-ends.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
const PART = '3\r\nabc\r\n';
const HOUR_MS = 3_600_000;
const POST = 'POST /up HTTP/1.1\r\nHost: a\r\n';

for (const lenient of [false, true]) {
  const engine = lenient ? 'lenient' : 'strict';

  test(`a site that is silent while it is connected to is a 504 (${engine})`, async (t) => {
    const upstream = await startRawUpstream(t); // silent in the TLS handshake
    const url = upstream.url.replace('http:', 'https:');
    const site = { url, lenient, connectTimeout: '300ms' };
    const proxy = await startTestProxy(t, { site });
    const answer = await ask(t, proxy.port, get());
    assert.equal(answer.status, 504);
    assert.match(answer.body, /^UPSTREAM_TIMEOUT: /);
    for (const { closed } of upstream.connections) await closed;
  });

  for (const request of [get(), `${POST}Content-Length: 2\r\n\r\nhi`]) {
    test(`a site that is silent before its head is a 504 (${engine}): ${request.slice(0, 4)}`, async (t) => {
      const { client, site } = await begin(t, request, {
        site: { lenient, responseTimeout: '300ms' },
      });
      assert.equal((await readAnswer(client)).status, 504);
      await site.closed;
    });
  }

  test(`the wait for the head begins when the request is whole (${engine})`, async (t) => {
    const clock = createFakeClock();
    const { client, site } = await begin(t, `${POST}Content-Length: 6\r\n\r\nabc`, {
      site: { lenient, responseTimeout: '1s' },
      config: { limits: { bodyTimeout: '1h' } },
      clock,
      arrived: 'abc',
    });
    await clock.advance(60_000);
    client.send('def');
    await site.receive('abcdef');
    site.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await readAnswer(client)).status, 200);
  });

  for (const framing of ['Transfer-Encoding: chunked', 'Content-Length: 9', 'X-Framing: none']) {
    const body = framing.startsWith('T') ? PART : 'abc';
    test(`a body that falls silent is cut (${engine}): ${framing}`, async (t) => {
      const clock = createFakeClock();
      const { client, site, proxy } = await begin(t, get(), {
        site: { lenient, bodyTimeout: '10s' },
        clock,
      });
      site.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${body}`);
      await client.receive('abc');
      await clock.advance(9_000);
      site.send(body);
      await client.receive(/abc.*abc/s);
      await clock.advance(9_999);
      assert.equal(client.socket.readyState, 'open');
      await clock.advance(1);
      const answer = await readAnswer(client);
      assert.equal(answer.isWhole, false);
      await site.closed;
      assert.match(proxy.lines.at(-1)?.message ?? '', /^answer cut off: silent/);
      assert.deepEqual(bugs(proxy), []);
    });
  }

  for (const line of [
    'Content-Type: text/event-stream',
    'Content-Type: TEXT/Event-Stream; charset=utf-8',
    'Content-Type: multipart/x-mixed-replace; boundary=a',
    'Content-Type: multipart/mixed; boundary=a',
    'Content-Type: application/x-ndjson',
    'Content-Type: application/ndjson',
    'Content-Type: application/stream+json',
    'X-Accel-Buffering: no',
  ]) {
    test(`a stream may be silent for any time (${engine}): ${line}`, async (t) => {
      const clock = createFakeClock();
      const { client, site } = await begin(t, get(), {
        site: { lenient, bodyTimeout: '10s', responseTimeout: '10s' },
        clock,
      });
      site.send(`${CHUNKED}${line}\r\n\r\n${PART}`);
      const all = await client.receive('abc');
      assert.doesNotMatch(all, /x-accel/i);
      for (let hour = 0; hour < 30; hour++) await clock.advance(HOUR_MS);
      site.send('3\r\nend\r\n0\r\n\r\n');
      const answer = await readAnswer(client);
      assert.deepEqual([answer.body, answer.isWhole], ['abcend', true]);
    });
  }

  test(`bodyTimeout "0s" is for ever (${engine})`, async (t) => {
    const clock = createFakeClock();
    const { client, site } = await begin(t, get(), { site: { lenient, bodyTimeout: '0s' }, clock });
    site.send(`${CHUNKED}\r\n${PART}`);
    await client.receive('abc');
    for (let hour = 0; hour < 30; hour++) await clock.advance(HOUR_MS);
    site.send('0\r\n\r\n');
    assert.equal((await readAnswer(client)).isWhole, true);
  });

  for (const framing of ['Content-Length: 6', 'Transfer-Encoding: chunked']) {
    const part = framing.startsWith('C') ? 'abc' : PART;
    test(`a client that falls silent within its body gets a 408 (${engine}): ${framing}`, async (t) => {
      const clock = createFakeClock();
      const { client, site, proxy } = await begin(t, `${POST}${framing}\r\n\r\n${part}`, {
        site: { lenient },
        config: { limits: { bodyTimeout: '20s' } },
        clock,
        arrived: 'abc',
      });
      await clock.advance(19_999);
      assert.equal(client.received, '');
      await clock.advance(1);
      const answer = await readAnswer(client);
      assert.equal(answer.status, 408);
      assert.match(answer.body, /^REQUEST_TIMEOUT: /);
      assert.deepEqual(answer.values('connection'), ['close']);
      await site.closed;
      assert.doesNotMatch(site.received, /0\r\n\r\n$/, 'half an upload is not a whole one');
      assert.deepEqual(bugs(proxy), []);
      assert.ok(!proxy.lines.some(({ level }) => level === 'warn'), 'no failure of the site');
    });
  }
}

test('a tunnel may be silent for any time', async (t) => {
  const clock = createFakeClock();
  const { client, site } = await begin(t, upgrade(), {
    site: { bodyTimeout: '1s', responseTimeout: '1s' },
    config: { limits: { bodyTimeout: '1s', sendTimeout: '1s' } },
    clock,
  });
  site.send(switching());
  await client.receive('\r\n\r\n');
  for (let hour = 0; hour < 30; hour++) await clock.advance(HOUR_MS);
  site.send('still here');
  await client.receive('still here');
});
