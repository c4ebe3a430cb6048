import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createGunzip, createGzip, gunzipSync, gzipSync } from 'node:zlib';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { until } from '../support/until.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const PAGE =
  '<!DOCTYPE html>\n<html><head><title>é</title><script src="a.js"></script></head></html>';
const NAVIGATES = 'Sec-Fetch-Dest: document';
const BROWSER = 'Accept: text/html,application/xhtml+xml,*/*;q=0.8';
const TAGS =
  /<script src="(\/_comet\/client\.js\?v=[0-9a-f]{10})"><\/script><script nomodule src="\/_comet\/client\.es5\.js\?v=[0-9a-f]{10}"><\/script>/;

interface Site {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
}

async function startSite(
  t: TestContext,
  handler: RequestListener = (_req, res) => res.setHeader('content-type', 'text/html').end(PAGE),
  config: object = {},
): Promise<Site> {
  const upstream = await startUpstream(t, handler);
  const proxy = await startTestProxy(t, { site: upstream.url, inject: ['/**'], ...config });
  return { proxy, upstream };
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

test('a page gets the script first in its head, and the rest stays byte for byte', async (t) => {
  const { proxy } = await startSite(t);
  const { status, body, values, isWhole } = await ask(t, proxy.port, get('/', NAVIGATES));
  assert.deepEqual([status, isWhole, values('content-length')], [200, true, []]);
  assert.match(body, /<head><script src/);
  assert.equal(body.replace(TAGS, ''), latin1(PAGE));
});

test('the script that it names is there, under a version for ever', async (t) => {
  const { proxy } = await startSite(t);
  const { body } = await ask(t, proxy.port, get('/', NAVIGATES));
  const script = await fetch(`${proxy.url}${TAGS.exec(body)?.[1]}`);
  assert.equal(script.status, 200);
  assert.match(script.headers.get('cache-control') ?? '', /immutable/);
});

test('a page that the site compresses is compressed, and read by whoever asks', async (t) => {
  const { proxy, upstream } = await startSite(t, (req, res) => {
    const isGzip = req.headers['accept-encoding'] === 'gzip';
    res.setHeader('content-type', 'text/html');
    if (isGzip) res.setHeader('content-encoding', 'gzip').setHeader('vary', 'Accept-Encoding');
    res.end(isGzip ? gzipSync(PAGE) : PAGE);
  });
  const accepts = 'Accept-Encoding: gzip, deflate, br, zstd';
  const answer = await ask(t, proxy.port, get('/', NAVIGATES, accepts));
  assert.deepEqual(answer.values('content-encoding'), ['gzip']);
  const text = String(gunzipSync(Buffer.from(answer.body, 'latin1')));
  assert.equal(text.replace(TAGS, ''), PAGE);
  assert.notEqual(text, PAGE);
  const plain = await ask(t, proxy.port, get('/', NAVIGATES, 'Accept-Encoding: br'));
  assert.match(plain.body, TAGS);
  const codings = upstream.requests.map(({ headers }) => headers['accept-encoding']);
  assert.deepEqual(codings, ['gzip', 'identity']);
});

test('what a script asks for, and what is no page, comes and goes untouched', async (t) => {
  const { proxy, upstream } = await startSite(t, (req, res) => {
    const type = req.url === '/image' ? 'image/png' : 'text/html';
    res.writeHead(200, {
      'content-type': type,
      'content-length': Buffer.byteLength(PAGE),
      etag: '"x"',
    });
    res.end(PAGE);
  });
  const script = get('/', 'Sec-Fetch-Dest: empty', BROWSER, 'Accept-Encoding: br');
  const old = get('/', BROWSER, 'X-Requested-With: XMLHttpRequest', 'Accept-Encoding: br');
  const post =
    'POST / HTTP/1.1\r\nHost: site.test\r\nAccept-Encoding: br\r\nContent-Length: 0\r\n\r\n';
  for (const text of [script, old, post, get('/image', NAVIGATES, 'Accept-Encoding: gzip')]) {
    const { body, values } = await ask(t, proxy.port, text);
    assert.equal(body, latin1(PAGE), text);
    assert.deepEqual(values('etag'), ['"x"']);
    assert.deepEqual(values('cache-control'), []);
  }
  const codings = upstream.requests.map(({ headers }) => headers['accept-encoding']);
  assert.deepEqual(codings, ['br', 'br', 'br', 'gzip']);
});

test('a config without inject changes no page', async (t) => {
  const { proxy } = await startSite(t, undefined, { inject: [] });
  const { body, values } = await ask(t, proxy.port, get('/', NAVIGATES));
  assert.deepEqual([body, values('cache-control')], [latin1(PAGE), []]);
});

test("pages of a Comet server are not the site's", async (t) => {
  const push = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'text/html').end(PAGE);
  });
  const { proxy } = await startSite(t, undefined, { comet: { '/push/': `${push.url}/` } });
  const { body } = await ask(t, proxy.port, get('/push/', NAVIGATES));
  assert.equal(body, latin1(PAGE));
});

test('an old browser gets a page that ends with the connection', async (t) => {
  const { proxy } = await startSite(t);
  const head = `GET / HTTP/1.0\r\nHost: site.test\r\n${BROWSER}\r\n\r\n`;
  const { body, values, isWhole } = await ask(t, proxy.port, head);
  assert.equal(isWhole, true);
  assert.deepEqual([values('transfer-encoding'), values('content-length')], [[], []]);
  assert.equal(body.replace(TAGS, ''), latin1(PAGE));
});

test('HEAD gives the headers of GET', async (t) => {
  const { proxy } = await startSite(t, (_req, res) => {
    res.setHeader('content-type', 'text/html').setHeader('etag', '"x"').end(PAGE);
  });
  const text = get('/', NAVIGATES);
  const whole = await ask(t, proxy.port, text);
  const head = await ask(t, proxy.port, text.replace('GET', 'HEAD'));
  for (const name of ['etag', 'cache-control', 'content-length', 'content-type']) {
    assert.deepEqual(head.values(name), whole.values(name), name);
  }
  assert.match(head.values('etag').join(), /^W\/"x~/);
});

test('a page that the browser has is not sent again, and one without the script is', async (t) => {
  const { proxy, upstream } = await startSite(t, (req, res) => {
    res.setHeader('etag', '"v1"').setHeader('cache-control', 'max-age=86400');
    // As many a script does: texts that are compared.
    if (req.headers['if-none-match'] === '"v1"') return res.writeHead(304).end();
    return res.setHeader('content-type', 'text/html').end(PAGE);
  });
  const first = await ask(t, proxy.port, get('/', NAVIGATES));
  const [tag = ''] = first.values('etag');
  assert.deepEqual(first.values('cache-control'), ['max-age=86400', 'no-cache']);
  const again = await ask(t, proxy.port, get('/', NAVIGATES, `If-None-Match: ${tag}`));
  assert.deepEqual([again.status, again.values('etag')], [304, [tag]]);
  assert.deepEqual(again.values('cache-control'), ['max-age=86400', 'no-cache']);
  const old = await ask(t, proxy.port, get('/', NAVIGATES, 'If-None-Match: "v1"'));
  assert.deepEqual([old.status, TAGS.test(old.body)], [200, true]);
  // A script that has stored the page asks for what it would get without us.
  const script = await ask(
    t,
    proxy.port,
    get('/', 'Sec-Fetch-Dest: empty', `If-None-Match: ${tag}`),
  );
  assert.deepEqual([script.status, script.body], [200, latin1(PAGE)]);
  assert.equal(upstream.requests.length, 4);
});

test('a part of a page is a part of the old one', async (t) => {
  const { proxy } = await startSite(t, (_req, res) => {
    const headers = { 'content-type': 'text/html', 'content-range': 'bytes 0-3/99', etag: '"x"' };
    res.writeHead(206, headers).end('<!DO');
  });
  const { body, values } = await ask(t, proxy.port, get('/', NAVIGATES, 'Range: bytes=0-3'));
  assert.deepEqual([body, values('etag')], ['<!DO', ['"x"']]);
});

test('a page that comes in pieces is shown in pieces', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url, inject: ['/**'] });
  const client = connectRaw(t, proxy.port);
  client.send(get('/', NAVIGATES));
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  site.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.receive('\r\n\r\n');
  site.send(chunk('<!-- a comment --><html><he'));
  await client.receive('<!-- a comment --><html>');
  assert.doesNotMatch(client.received, /<he/);
  site.send(chunk('ad><title>one'));
  await client.receive('<title>one');
  site.send(`${chunk('</title><b')}0\r\n\r\n`);
  const answer = await readAnswer(client);
  assert.equal(answer.body.replace(TAGS, ''), '<!-- a comment --><html><head><title>one</title><b');
});

test('a compressed page that comes in pieces is shown in pieces', async (t) => {
  const gzip = createGzip();
  const { proxy } = await startSite(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' });
    gzip.pipe(res);
    gzip.write('<html><head><title>one');
    gzip.flush();
  });
  const headers = { 'sec-fetch-dest': 'document', 'accept-encoding': 'gzip' };
  const sent = request(proxy.url, { headers }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  const gunzip = createGunzip();
  answer.pipe(gunzip).on('data', (chunk: Buffer) => (text += chunk));
  await until(() => text.endsWith('<title>one'));
  assert.match(text, TAGS);
  gzip.end('</title>');
  await once(gunzip, 'end');
  assert.equal(text.replace(TAGS, ''), '<html><head><title>one</title>');
});

test('a page that ends in the middle is seen to be cut', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send(
        'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<html><head><ti',
      );
      peer.socket.end();
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url, inject: ['/**'] });
  const { isWhole } = await ask(t, proxy.port, get('/', NAVIGATES));
  assert.equal(isWhole, false);
});

test('a stream of HTML stays one', async (t) => {
  const { proxy } = await startSite(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html', 'x-accel-buffering': 'no' }).end(PAGE);
  });
  const { body } = await ask(t, proxy.port, get('/', NAVIGATES));
  assert.equal(body, latin1(PAGE));
});

test('an error page gets the script too', async (t) => {
  const { proxy } = await startSite(t, (_req, res) => {
    res.writeHead(503, { 'content-type': 'text/html' }).end(PAGE);
  });
  const { status, body } = await ask(t, proxy.port, get('/', NAVIGATES));
  assert.deepEqual([status, TAGS.test(body)], [503, true]);
});

test('pages whose URLs are rewritten get it as well', async (t) => {
  const named = PAGE.replace('a.js', 'https://push.example/x/a.js');
  const { proxy } = await startSite(
    t,
    (req, res) => {
      res.setHeader('etag', '"v1"');
      if (req.headers['if-none-match'] === 'W/"v1"') return res.writeHead(304).end();
      const isGzip = req.headers['accept-encoding'] === 'gzip';
      if (isGzip) res.setHeader('content-encoding', 'gzip');
      return res.setHeader('content-type', 'text/html').end(isGzip ? gzipSync(named) : named);
    },
    { comet: { '/push': { origin: 'https://push.example/x', rewriteUrls: true } } },
  );
  const accepts = 'Accept-Encoding: gzip';
  const answer = await ask(t, proxy.port, get('/', NAVIGATES, accepts));
  const text = String(gunzipSync(Buffer.from(answer.body, 'latin1')));
  assert.equal(text.replace(TAGS, ''), PAGE.replace('a.js', 'http://site.test/push/a.js'));
  const [tag = ''] = answer.values('etag');
  const again = await ask(t, proxy.port, get('/', NAVIGATES, accepts, `If-None-Match: ${tag}`));
  assert.deepEqual([again.status, again.values('etag')], [304, [tag]]);
});
