import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream, unusedPort } from '../support/raw-upstream.ts';

const POST_WHOLE = 'POST /save HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
/** An upload whose other half is still to come. */
const POST_HALF = 'POST /save HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nhi';

for (const request of [get('/x'), POST_WHOLE, POST_HALF]) {
  const name = JSON.stringify(request.slice(0, 80));

  test(`a site that refuses the connection is a 502: ${name}`, async (t) => {
    const port = await unusedPort();
    const proxy = await startTestProxy(t, { site: `http://127.0.0.1:${port}` });
    const answer = await ask(t, proxy.port, request);
    assert.equal(answer.status, 502);
    assert.equal(answer.body, 'UPSTREAM_UNREACHABLE: the site cannot be reached\n');
    assert.deepEqual(answer.values('cache-control'), ['no-store']);
    const line = proxy.lines.find(({ fields }) => fields['code'] === 'UPSTREAM_UNREACHABLE');
    assert.equal(line?.level, 'warn');
    assert.match(line?.message ?? '', new RegExp(`ECONNREFUSED.*${port}`));
    assert.ok(!answer.body.includes(String(port)), 'the inside is for the log only');
  });

  for (const how of ['end', 'reset'] as const) {
    test(`a site that dies before its head (${how}) is a 502: ${name}`, async (t) => {
      const upstream = await startRawUpstream(t, (peer) => {
        peer.socket.once('data', () => (how === 'end' ? peer.socket.end() : peer.reset()));
      });
      const proxy = await startTestProxy(t, { site: upstream.url });
      const answer = await ask(t, proxy.port, request);
      assert.equal(answer.status, 502);
      assert.equal(
        answer.body,
        'UPSTREAM_RESET: the site closed the connection before it answered\n',
      );
      assert.ok(proxy.lines.some(({ fields }) => fields['code'] === 'UPSTREAM_RESET'));
    });
  }

  test(`a head that takes too long is a 504: ${name}`, async (t) => {
    const upstream = await startRawUpstream(t);
    const proxy = await startTestProxy(t, {
      site: { url: upstream.url, responseTimeout: '300ms' },
    });
    const peer = connectRaw(t, proxy.port);
    peer.send(request);
    const site = await upstream.connection(0);
    if (request === POST_HALF) {
      // The clock starts when the whole request is with the site.
      await site.receive(/hi$/);
      peer.send('ho');
    }
    const answer = await readAnswer(peer);
    assert.equal(answer.status, 504);
    assert.equal(answer.body, 'UPSTREAM_TIMEOUT: the site did not answer in time\n');
    await site.closed;
  });
}

const INVALID: Record<string, string> = {
  'no HTTP at all': 'SSH-2.0-OpenSSH_9.2\r\n\r\n',
  'a broken status line': 'HTTP/1.1 abc OK\r\n\r\n',
  'a header without a colon': 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!',
  'length and chunks':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a line feed alone': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nhi',
  'a head without end': `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(80 * 1_024)}`,
};

for (const [name, bytes] of Object.entries(INVALID)) {
  test(`an answer that is not HTTP is a 502: ${name}`, async (t) => {
    const upstream = await answerWith(t, bytes);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, get('/x'));
    assert.equal(answer.status, 502);
    assert.equal(answer.body, 'UPSTREAM_INVALID: the site gave an invalid answer\n');
    const line = proxy.lines.find(({ fields }) => fields['code'] === 'UPSTREAM_INVALID');
    assert.match(line?.message ?? '', /^upstream failed: (?:Response|Headers)/i);
    await (await upstream.connection(0)).closed;
  });
}

test('a failure of the site does not end the connection with the client', async (t) => {
  const port = await unusedPort();
  const proxy = await startTestProxy(t, { site: `http://127.0.0.1:${port}` });
  const peer = connectRaw(t, proxy.port);
  peer.send(get('/one'));
  const first = await readAnswer(peer);
  assert.equal(first.status, 502);
  const from = peer.received.length;
  peer.send(get('/two'));
  assert.equal((await readAnswer(peer, { from })).status, 502);
});
