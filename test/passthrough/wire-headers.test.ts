import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import type { RawUpstream } from '../support/raw-upstream.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The header lines that reached the site with its first request. */
function seen(upstream: RawUpstream): string[] {
  const head = upstream.connections[0]?.received.split('\r\n\r\n', 1)[0] ?? '';
  return head.split('\r\n').slice(1);
}

test('request headers keep case, order, duplicates and every byte', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const sent = [
    'X-Zeta: 1',
    'aCCept: text/html',
    'x-alpha: caf\xe9 \xff\x80',
    'X-Zeta: 2',
    'Cookie: a=1',
    'Cookie: b=2',
    'X-Empty:',
    'X-List: one, two',
    'User-Agent: Old/1.0 (\xa9)',
    'x-list: three',
    'Via: 1.1 cache',
    'Proto__: no',
    '__proto__: no',
    'constructor: yes',
    'If-None-Match: "a"',
    'Range: bytes=0-1',
    'Accept-Encoding: br, gzip',
  ];
  await ask(t, proxy.port, get('/x', ...sent));
  const own = /^(?:host|connection|x-forwarded-.*):/i;
  const passed = seen(upstream).filter((line) => !own.test(line));
  const wanted = sent.filter((line) => !/^[^:]*_/.test(line));
  assert.deepEqual(
    passed.map((line) => line.trim()),
    wanted,
  );
});

test('answer headers keep case, order, duplicates and every byte', async (t) => {
  const lines = [
    'X-Zeta: 1',
    'set-COOKIE: a=1; Path=/',
    'x-alpha: caf\xe9 \xff\x80',
    'Set-Cookie: b=2',
    'X-Zeta: 2',
    'WWW-Authenticate: Basic realm="a"',
    'WWW-Authenticate: Negotiate',
    'Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT',
    'X_Under: kept',
    'Server: Apache/1.3',
    'Date: Sat, 01 Jan 2000 00:00:00 GMT',
    'Content-Length: 2',
  ];
  const upstream = await answerWith(t, `HTTP/1.1 200 All Fine\r\n${lines.join('\r\n')}\r\n\r\nok`);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const answer = await ask(t, proxy.port, get('/x'));
  assert.equal(answer.statusLine, 'HTTP/1.1 200 All Fine');
  const passed = answer.headers.map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(passed.slice(0, lines.length), lines);
  assert.equal(answer.values('date').length, 1, "the site's own date");
});

test('an answer without a date gets one', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  assert.equal((await ask(t, proxy.port, get())).values('date').length, 1);
});

test('a reason phrase that is not ASCII, or missing, does not spoil the answer', async (t) => {
  for (const reason of ['caf\xe9', '', 'a\x80']) {
    const upstream = await answerWith(t, `HTTP/1.1 200 ${reason}\r\nContent-Length: 2\r\n\r\nok`);
    const proxy = await startTestProxy(t, { site: upstream.url, via: false });
    const answer = await ask(t, proxy.port, get());
    assert.deepEqual([answer.status, answer.body], [200, 'ok']);
  }
});

test('hop-by-hop headers of a request end here', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const hop = [
    'Connection: X-Private, keep-alive',
    'Connection: ,, x-other ,',
    'X-Private: a',
    'X-Other: b',
    'Keep-Alive: timeout=9',
    'Proxy-Connection: keep-alive',
    'Proxy-Authorization: Basic eA==',
    'TE: trailers',
    'Trailer: X-Sum',
    'HTTP2-Settings: AAAA',
  ];
  const answer = await ask(t, proxy.port, get('/x', ...hop, 'X-Public: c'));
  assert.equal(answer.status, 200);
  const names = seen(upstream).map((line) => line.split(':', 1)[0]?.toLowerCase());
  assert.deepEqual(names.toSorted(), [
    'connection',
    'host',
    'te', // said anew by us, for trailers are passed on
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-public',
  ]);
  assert.ok(seen(upstream).some((line) => /^connection: keep-alive$/i.test(line)));
});

test('hop-by-hop headers of an answer end here', async (t) => {
  const hop = [
    'Connection: X-Private, close',
    'X-Private: a',
    'Keep-Alive: timeout=9',
    'Proxy-Connection: close',
    'Proxy-Authenticate: Basic',
    'Upgrade: h2c',
    'Trailer: X-Sum',
    'X-Public: c',
    'Content-Length: 2',
  ];
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => peer.send(`HTTP/1.1 200 OK\r\n${hop.join('\r\n')}\r\n\r\nok`));
  });
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const answer = await ask(t, proxy.port, get());
  const names = answer.headers.map(([name]) => name);
  assert.deepEqual(names, ['X-Public', 'Content-Length', 'Date', 'Connection', 'Keep-Alive']);
  assert.deepEqual(answer.values('connection'), ['keep-alive']);
  assert.deepEqual(answer.values('keep-alive'), ['timeout=75']);
});

test('headers with an underscore are dropped: CGI reads them as those with a hyphen', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  await ask(t, proxy.port, get('/x', 'X_Forwarded_For: 6.6.6.6', 'X-Real_IP: 6.6.6.6'));
  assert.ok(!upstream.connections[0]?.received.includes('6.6.6.6'));
});

test('the Host of the client reaches the site, and it alone', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  await ask(t, proxy.port, 'GET / HTTP/1.1\r\nhOST: shop.example:8443\r\n\r\n');
  const hosts = seen(upstream).filter((line) => /^host:/i.test(line));
  assert.deepEqual(
    hosts.map((line) => line.slice(5).trim()),
    ['shop.example:8443'],
  );
});

test('preserveHost: false sends the host of the site', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: { url: upstream.url, preserveHost: false } });
  await ask(t, proxy.port, 'GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
  const lines = seen(upstream).map((line) => line.toLowerCase());
  assert.ok(lines.includes(`host: 127.0.0.1:${upstream.port}`));
  assert.ok(lines.includes('x-forwarded-host: shop.example'));
});

test('a client that expects 100-continue gets it, once, also of a site that never says so', async (t) => {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false });
  const client = connectRaw(t, proxy.port);
  client.send('POST /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n');
  await client.receive('HTTP/1.1 100 Continue\r\n\r\n');
  client.send('abc');
  const site = await upstream.connection(0);
  await site.receive(/\r\n\r\nabc$/);
  assert.match(site.received, /expect: 100-continue/i);
  site.send(OK);
  const all = await client.receive('ok');
  assert.equal(all.split('HTTP/1.1 100').length - 1, 1);
  assert.match(all, /HTTP\/1\.1 200 OK/);
});
