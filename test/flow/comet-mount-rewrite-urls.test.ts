import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, createGunzip, createGzip, gzipSync } from 'node:zlib';
import { ask, get, parseAnswer, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { ORIGIN, PAGE, SEEN, startRewrittenSite } from './comet-mount-pages.ts';

const LATIN1_SEEN = Buffer.from(SEEN).toString('latin1');

test('pages of the site name the mount, and their length is that of what is sent', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, {
      ...{ 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(PAGE) },
      ...{ 'accept-ranges': 'bytes', 'last-modified': 'x', 'content-md5': 'x', 'x-kept': '1' },
    });
    res.end(PAGE);
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const answer = await ask(t, proxy.port, get('/page'));
  assert.deepEqual([answer.status, answer.body, answer.isWhole], [200, LATIN1_SEEN, true]);
  for (const name of ['accept-ranges', 'last-modified', 'content-md5']) {
    assert.deepEqual(answer.values(name), [], name);
  }
  assert.deepEqual(answer.values('x-kept'), ['1']);
  assert.notEqual(answer.values('content-length')[0], String(Buffer.byteLength(PAGE)));
});

test('a mount that does not say so changes no page', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res
      .writeHead(200, {
        'content-type': 'text/html',
        etag: '"x"',
        'content-length': Buffer.byteLength(PAGE),
      })
      .end(PAGE);
  });
  const proxy = await startRewrittenSite(t, upstream.url, { comet: { '/chat': ORIGIN } });
  const answer = await ask(t, proxy.port, get('/page', 'Accept-Encoding: br'));
  assert.deepEqual(answer.body, Buffer.from(PAGE).toString('latin1'));
  assert.deepEqual(answer.values('etag'), ['"x"']);
  assert.equal(upstream.requests[0]?.headers['accept-encoding'], 'br');
});

test('a page that comes in pieces is shown in pieces', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startRewrittenSite(t, upstream.url);
  const client = connectRaw(t, proxy.port);
  client.send(get('/page'));
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  site.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n');
  await client.receive('\r\n\r\n');
  site.send(chunk('<p>one "https://pu'));
  await client.receive('<p>one "');
  assert.doesNotMatch(client.received, /https/);
  site.send(chunk('sh.example/bayeux/x" two\n'));
  await client.receive('http://site.test/chat/x" two');
  site.send(`${chunk('<p>end<scr')}0\r\n\r\n`);
  const answer = await readAnswer(client);
  assert.equal(answer.body, '<p>one "http://site.test/chat/x" two\n<p>end<scr');
  assert.equal(answer.isWhole, true);
});

test('a compressed page that comes in pieces is shown in pieces', async (t) => {
  const gzip = createGzip();
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' });
    gzip.pipe(res);
    gzip.write('<p>one //push.example/bayeux/x</p>\n');
    gzip.flush();
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  const headers = { host: 'site.test', 'accept-encoding': 'br, gzip' };
  const req = request(`${proxy.url}/page`, { headers, agent: false }).end();
  t.after(() => req.destroy());
  const res = await new Promise<IncomingMessage>((resolve) => req.once('response', resolve));
  assert.equal(res.headers['content-encoding'], 'gzip');
  assert.equal(upstream.requests[0]?.headers['accept-encoding'], 'gzip');
  let text = '';
  const plain = res.pipe(createGunzip()).on('data', (data: Buffer) => {
    text += data.toString();
  });
  await until(() => text.includes('//site.test/chat/x</p>'));
  gzip.end('<p>two wss://push.example/bayeux</p>');
  await new Promise((resolve) => plain.once('end', resolve));
  assert.equal(text, '<p>one //site.test/chat/x</p>\n<p>two ws://site.test/chat</p>');
});

test('a client that takes no gzip gets none', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    const isGzip = req.headers['accept-encoding'] === 'gzip';
    res.setHeader('content-type', 'text/html').end(isGzip ? gzipSync(PAGE) : PAGE);
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  for (const lines of [[], ['Accept-Encoding: br'], ['Accept-Encoding: gzip;q=0, *']]) {
    assert.equal((await ask(t, proxy.port, get('/page', ...lines))).body, LATIN1_SEEN);
  }
});

test('a compressed page that is broken breaks off, and harms nobody else', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    res.setHeader('content-type', 'text/html');
    if (req.url === '/good') return void res.end(PAGE);
    const whole = gzipSync('x'.repeat(100_000) + PAGE);
    const bytes = req.url === '/plain' ? Buffer.from(PAGE) : whole.subarray(0, 60);
    res.setHeader('content-encoding', 'gzip').end(bytes);
  });
  const proxy = await startRewrittenSite(t, upstream.url);
  for (const path of ['/plain', '/cut']) {
    const client = connectRaw(t, proxy.port);
    client.send(get(path, 'Accept-Encoding: gzip', 'Connection: close'));
    const ending = await client.closed;
    const answer = parseAnswer(client.received, { hasEnded: ending === 'end' });
    assert.ok(!answer?.isWhole || answer.status === 502);
    assert.equal((await ask(t, proxy.port, get('/good'))).body, LATIN1_SEEN);
  }
  assert.equal(proxy.lines.filter(({ level }) => level === 'error').length, 0);
});

test('a page that the client leaves is left at the site', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startRewrittenSite(t, upstream.url);
  const client = connectRaw(t, proxy.port);
  client.send(get('/page'));
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  site.send(
    'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<p>\r\n',
  );
  await client.receive('<p>');
  client.reset();
  await site.closed;
});

test('a page that the site breaks off is not ended as if it were whole', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startRewrittenSite(t, upstream.url);
  const client = connectRaw(t, proxy.port);
  client.send(get('/page'));
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  site.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>one');
  await client.receive('<p>one');
  site.socket.destroy();
  assert.equal((await readAnswer(client)).isWhole, false);
});

/** As the bytes stood on the wire; none of them is a text that is looked at. */
const OPAQUE: Record<string, { readonly headers: Record<string, string>; readonly body: Buffer }> =
  {
    'utf-16': {
      headers: { 'content-type': 'text/html; charset=utf-16le' },
      body: Buffer.from(PAGE, 'utf16le'),
    },
    brotli: {
      headers: { 'content-type': 'text/html', 'content-encoding': 'br' },
      body: brotliCompressSync(PAGE),
    },
    image: { headers: { 'content-type': 'image/png' }, body: Buffer.from(PAGE) },
    'plain text': { headers: { 'content-type': 'text/plain' }, body: Buffer.from(PAGE) },
    'no type': { headers: {}, body: Buffer.from(PAGE) },
  };
for (const [name, { headers, body }] of Object.entries(OPAQUE)) {
  test(`what is not looked at passes byte for byte, with its tag and its length: ${name}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      const length = {
        'content-length': String(body.length),
        etag: '"x"',
        'accept-ranges': 'bytes',
      };
      res.writeHead(200, { ...headers, ...length }).end(body);
    });
    const proxy = await startRewrittenSite(t, upstream.url);
    const answer = await ask(t, proxy.port, get('/x', 'Accept-Encoding: gzip'));
    assert.equal(answer.body, body.toString('latin1'));
    assert.deepEqual(answer.values('etag'), ['"x"']);
    assert.deepEqual(answer.values('content-length'), [String(body.length)]);
    assert.deepEqual(answer.values('accept-ranges'), ['bytes']);
  });
}

test('an event stream of the site is not touched, and not held back', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startRewrittenSite(t, upstream.url);
  const client = connectRaw(t, proxy.port);
  client.send(get('/events'));
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  site.send(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: https://push.example/bayeux',
  );
  await client.receive('data: https://push.example/bayeux');
});
