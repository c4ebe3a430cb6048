import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, readAnswer } from '../support/raw-answer.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { begin, bugs, failures } from './both-ends.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';
const GET_1_0 = 'GET / HTTP/1.0\r\nHost: a\r\n\r\n';

for (const request of [get(), GET_1_0, POST]) {
  const name = request.split('\r\n', 1)[0];
  for (const lenient of [false, true]) {
    test(`informational answers end here, the final one passes: ${name}, lenient ${lenient}`, async (t) => {
      const { client, site } = await begin(t, request, { site: { lenient } });
      for (const early of [HINTS, PROCESSING, 'HTTP/1.1 199 Odd\r\nX-A: b\r\n\r\n', HINTS]) {
        site.send(early);
      }
      site.send(OK);
      const answer = await readAnswer(client);
      assert.deepEqual([answer.status, answer.body], [200, 'ok']);
      assert.doesNotMatch(client.received, /HTTP\/1\.1 1|x-a|link/i);
    });
  }

  test(`a 100 that nobody asked for is a 502, and the log says what helps: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, request);
    site.send(CONTINUE + OK);
    const answer = await readAnswer(client);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_INVALID: /);
    await site.closed;
    assert.match(failures(proxy).at(-1) ?? '', /^upstream failed: .*"lenient": true may read it$/);
    assert.deepEqual(bugs(proxy), []);
  });

  test(`a lenient site may send a 100 that nobody asked for: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, request, { site: { lenient: true } });
    site.send(CONTINUE + CONTINUE + OK);
    const answer = await readAnswer(client);
    assert.deepEqual([answer.status, answer.body], [200, 'ok']);
    assert.doesNotMatch(client.received, /HTTP\/1\.1 100/);
    assert.deepEqual(failures(proxy), []);
  });
}

test('a failure that lenient would not mend does not suggest it', async (t) => {
  const { client, site, proxy } = await begin(t, get());
  site.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx');
  assert.equal((await readAnswer(client)).status, 502);
  assert.doesNotMatch(failures(proxy).join('\n'), /lenient/);
});

test('a 103 before the 101 of a WebSocket does no harm', async (t) => {
  const { client, site, proxy } = await begin(t, upgrade());
  site.send(HINTS);
  site.send('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.body], [403, 'no']);
  assert.deepEqual(bugs(proxy), []);
});

test('informational answers without end do not keep a request longer than it may wait', async (t) => {
  const { client, site } = await begin(t, get(), { site: { responseTimeout: '500ms' } });
  const timer = setInterval(() => site.send(HINTS), 50);
  t.after(() => clearInterval(timer));
  assert.equal((await readAnswer(client)).status, 504);
});
