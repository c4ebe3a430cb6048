import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** The headers that the site sees, names in lower case, when a client sends these lines. */
async function seen(t: TestContext, config: object, ...lines: string[]): Promise<string[]> {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url, via: false, ...config });
  await ask(t, proxy.port, get('/x', ...lines));
  const head = upstream.connections[0]?.received.split('\r\n\r\n', 1)[0] ?? '';
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => line.replace(/^[^:]*/, (n) => n.toLowerCase()));
}

const FORGED = [
  'X-Forwarded-For: 6.6.6.6',
  'X-Forwarded-For: 7.7.7.7',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: forged.example',
  'X-Forwarded-Port: 443',
  'X-Forwarded-Prefix: /admin',
  'X-Forwarded-Server: forged',
  'X-Forwarded-User: root',
  'X-Real-IP: 6.6.6.6',
  'Forwarded: for=6.6.6.6;host=forged.example',
];
const OURS = [
  'x-forwarded-for: 127.0.0.1',
  'x-forwarded-proto: http',
  'x-forwarded-host: site.test',
];

test('a stranger cannot invent an identity', async (t) => {
  const headers = await seen(t, {}, ...FORGED);
  assert.deepEqual(
    headers.filter((line) => /forwarded|real-ip/.test(line)),
    OURS,
  );
});

test('a peer outside of the trusted networks is a stranger', async (t) => {
  const headers = await seen(t, { trustedProxies: ['10.0.0.0/8', '::1'] }, ...FORGED);
  assert.deepEqual(
    headers.filter((line) => /forwarded|real-ip/.test(line)),
    OURS,
  );
});

test('a trusted proxy is believed, and the list of addresses grows', async (t) => {
  const headers = await seen(t, { trustedProxies: ['127.0.0.1'] }, ...FORGED);
  assert.deepEqual(
    headers.filter((line) => /forwarded|real-ip/.test(line)),
    [
      'x-forwarded-host: forged.example',
      'x-forwarded-port: 443',
      'x-forwarded-prefix: /admin',
      'x-forwarded-server: forged',
      'x-forwarded-user: root',
      'x-real-ip: 6.6.6.6',
      'forwarded: for=6.6.6.6;host=forged.example',
      'x-forwarded-for: 6.6.6.6, 7.7.7.7, 127.0.0.1',
      'x-forwarded-proto: https',
    ],
  );
});

test('Connection cannot remove what the site relies on', async (t) => {
  const headers = await seen(
    t,
    {},
    'Connection: close, Host, Cookie, Authorization, Content-Type, X-Forwarded-For',
    'Connection: x-forwarded-host, X-FORWARDED-PROTO, x-real-ip, forwarded, via, x-mine',
    'Cookie: a=b',
    'Authorization: Basic eA==',
    'Content-Type: text/plain',
    'Via: 1.1 cache',
    'X-Mine: hop',
  );
  assert.deepEqual(
    headers.filter((line) => !line.startsWith('connection:')),
    [
      'host: site.test',
      'cookie: a=b',
      'authorization: Basic eA==',
      'content-type: text/plain',
      'via: 1.1 cache',
      ...OURS,
    ],
  );
});

test('Connection cannot remove the length of a body', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(
    t,
    proxy.port,
    'POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: 4\r\n\r\n\r\n\r\n',
  );
  assert.equal(answer.status, 200);
  assert.match(upstream.connections[0]?.received ?? '', /content-length: 4\r\n/i);
});

test('an answer cannot make us drop a cookie', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\nConnection: set-cookie\r\nSet-Cookie: a=b\r\nContent-Length: 0';
  const upstream = await answerWith(t, `${head}\r\n\r\n`);
  const proxy = await startTestProxy(t, { site: upstream.url });
  assert.deepEqual((await ask(t, proxy.port, get())).values('set-cookie'), ['a=b']);
});
