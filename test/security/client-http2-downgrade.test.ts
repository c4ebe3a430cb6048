import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http2';
import { test } from 'node:test';
import { askHttp2, connectHttp2, readHttp2, request } from '../support/http2-client.ts';
import { startHttp2Proxy } from '../support/http2-proxy.ts';
import { startUpstream } from '../support/upstream.ts';

const DOUBTFUL: Record<string, OutgoingHttpHeaders> = {
  'another host': { host: 'evil.test' },
  'a bad authority': { ':authority': 'a b' },
  'an authority with a user': { ':authority': 'user@site.test' },
  'a path without a slash': { ':path': 'evil.test/' },
  'a path with a fragment': { ':path': '/a#b' },
  'a malformed length': { 'content-length': '+0' },
  TRACE: { ':method': 'TRACE' },
  'more headers than are allowed': Object.fromEntries(
    Array.from({ length: 210 }, (_, i) => [`x-${i}`, 'y']),
  ),
  'a long path': { ':path': `/${'a'.repeat(9_000)}` },
};

for (const [name, headers] of Object.entries(DOUBTFUL)) {
  test(`a doubtful request over HTTP/2 never reaches the site: ${name}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => void res.end('ok'));
    const { session } = await startHttp2Proxy(t, { site: upstream.url });
    const { status, resetCode } = await askHttp2(session, headers);
    assert.ok((status >= 400 && status < 500) || resetCode !== 0, `${status}`);
    assert.deepEqual(upstream.requests, []);
  });
}

for (const [length, body] of [
  ['5', 'abc'],
  ['3', 'abcde'],
  ['0', 'abc'],
] as const) {
  test(`a body of another length than was said is no request: ${body} for ${length}`, async (t) => {
    let whole = 0;
    const upstream = await startUpstream(t, (req, res) => {
      req.on('error', () => undefined).resume();
      req.once('end', () => {
        whole += 1;
        res.end('ok');
      });
    });
    const { session } = await startHttp2Proxy(t, { site: upstream.url });
    const headers = { ':method': 'POST', 'content-length': length };
    const stream = request(session, headers, { endStream: false });
    stream.end(body);
    const { status, resetCode } = await readHttp2(stream);
    assert.ok(status !== 200 || resetCode !== 0);
    assert.equal(whole, 0);
  });
}

test('a large head ends its stream and not the proxy', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end('ok'));
  const { session } = await startHttp2Proxy(t, { site: upstream.url });
  const { status, resetCode } = await askHttp2(session, { x: 'y'.repeat(20_000) });
  assert.ok(status === 431 || resetCode !== 0);
  assert.equal((await askHttp2(session)).body, 'ok');
});

test('streams that are opened and reset over and over do not end the proxy', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end('ok'));
  const { proxy, session } = await startHttp2Proxy(t, { site: upstream.url });
  for (let i = 0; i < 300 && !session.destroyed && !session.closed; i++) {
    request(session).close(8);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await askHttp2(await connectHttp2(t, proxy.port))).body, 'ok');
  assert.deepEqual(
    proxy.lines.filter(({ level }) => level === 'error'),
    [],
  );
});
