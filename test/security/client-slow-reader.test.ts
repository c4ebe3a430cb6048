import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { readHttp2, request } from '../support/http2-client.ts';
import { startHttp2Proxy } from '../support/http2-proxy.ts';
import { startUpstream } from '../support/upstream.ts';

test('over HTTP/2 an answer that is not read in time is cut, and seen to be cut', async (t) => {
  const size = 50 * 1_024 * 1_024;
  let cut: Promise<unknown> | undefined;
  const upstream = await startUpstream(t, (_req, res) => {
    cut = once(res, 'close');
    res.writeHead(200, { 'content-type': 'text/plain' });
    res.end(Buffer.alloc(size, 'x'));
  });
  const limits = { sendTimeout: '100ms' };
  const { session } = await startHttp2Proxy(t, { site: upstream.url, limits });
  const stream = request(session);
  await once(stream, 'response');
  await cut;
  const { body, resetCode } = await readHttp2(stream);
  assert.ok(body.length < size);
  assert.notEqual(resetCode, 0, 'its end is not taken for that of the answer');
});
