import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';
import { PAGE, startRewrittenSite } from './comet-mount-pages.ts';

test('a client that has a page is told so by 304, and has it still when it asks again', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    const hasIt = /"v1"/.test(req.headers['if-none-match'] ?? '');
    res.writeHead(hasIt ? 304 : 200, { 'content-type': 'text/html', etag: '"v1"' });
    res.end(hasIt ? undefined : PAGE);
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const first = await ask(t, proxy.port, get('/page'));
  const [etag = ''] = first.values('etag');
  assert.match(etag, /^W\/"v1.+"$/);
  for (let round = 0; round < 2; round++) {
    const again = await ask(t, proxy.port, get('/page', `If-None-Match: ${etag}`));
    assert.deepEqual([again.status, again.values('etag')], [304, [etag]]);
  }
  assert.equal(upstream.requests.at(-1)?.headers['if-none-match'], 'W/"v1"');
  // Under another name of the site it is another page.
  const request = `GET /page HTTP/1.1\r\nHost: other.test\r\nIf-None-Match: ${etag}\r\n\r\n`;
  const other = await ask(t, proxy.port, request);
  assert.equal(other.status, 200);
  assert.ok(other.body.includes('http://other.test/chat/c.js'));
});

test('HEAD of a page says what GET says', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, {
      'content-type': 'text/html',
      etag: '"v1"',
      'content-length': Buffer.byteLength(PAGE),
    });
    res.end(PAGE);
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const head = await ask(t, proxy.port, get('/page').replace('GET', 'HEAD'));
  const page = await ask(t, proxy.port, get('/page'));
  assert.deepEqual([head.status, head.values('content-length'), head.body], [200, [], '']);
  assert.deepEqual(head.values('etag'), page.values('etag'));
});

test('a part of a page passes as it is, and says where it belongs', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(206, {
      'content-type': 'text/html',
      'content-range': 'bytes 0-29/90',
      'content-length': 30,
    });
    res.end(PAGE.slice(0, 30));
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const answer = await ask(t, proxy.port, get('/page', 'Range: bytes=0-29'));
  assert.deepEqual([answer.status, answer.body], [206, PAGE.slice(0, 30)]);
  assert.deepEqual(answer.values('content-length'), ['30']);
});

test('a page without a body has none', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(204, { 'content-type': 'text/html' }).end();
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const client = connectRaw(t, proxy.port);
  client.send(get('/one') + get('/two'));
  await client.receive(/^HTTP\/1\.1 204 [\s\S]*\r\n\r\nHTTP\/1\.1 204 /);
});

test('an empty compressed page is no failure', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, {
      'content-type': 'text/html',
      'content-encoding': 'gzip',
      'content-length': 0,
    });
    res.end();
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const answer = await ask(t, proxy.port, get('/page', 'Accept-Encoding: gzip'));
  assert.deepEqual([answer.status, answer.isWhole], [200, true]);
});
