import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith } from '../support/raw-upstream.ts';
import { lastHead } from './comet-mount-scene.ts';

function answer(...lines: string[]): string {
  return ['HTTP/1.1 302 Found', 'Content-Length: 0', ...lines, '', ''].join('\r\n');
}

test('a site that is to get its own Host gets its own Origin and Referer, and every cookie', async (t) => {
  const site = await answerWith(t, answer());
  const proxy = await startTestProxy(t, { site: { url: site.url, preserveHost: false } });
  const lines = ['Origin: http://site.test', 'Referer: http://site.test/page?x', 'Cookie: a=1'];
  await ask(t, proxy.port, get('/x?y', ...lines));
  const head = lastHead(site);
  assert.equal(head.requestLine, 'GET /x?y HTTP/1.1');
  assert.deepEqual(head.values('host'), [`127.0.0.1:${site.port}`]);
  assert.deepEqual(head.values('origin'), [site.url]);
  assert.deepEqual(head.values('referer'), [`${site.url}/page?x`]);
  assert.deepEqual(head.values('x-forwarded-host'), ['site.test']);
  assert.deepEqual(head.values('cookie'), ['a=1']);
});

test('to such a site the Origin of somebody else stays what it is', async (t) => {
  const site = await answerWith(t, answer());
  const proxy = await startTestProxy(t, { site: { url: site.url, preserveHost: false } });
  await ask(t, proxy.port, get('/x', 'Origin: http://evil.test', 'Referer: http://evil.test/x'));
  assert.deepEqual(lastHead(site).values('origin'), ['http://evil.test']);
  assert.deepEqual(lastHead(site).values('referer'), ['http://evil.test/x']);
});

test('redirects to its own name lead to the site as the client knows it', async (t) => {
  const cases = [
    ['/x', '/x'],
    ['../y', '/y'],
    ['//evil.test/x', 'http://evil.test/x'],
    ['https://site.test/secure', 'https://site.test/secure'],
  ] as const;
  for (const [location, expected] of cases) {
    const site = await answerWith(t, answer(`Location: ${location}`));
    const proxy = await startTestProxy(t, { site: { url: site.url, preserveHost: false } });
    const { values } = await ask(t, proxy.port, get('/a/b'));
    const seen = new URL(values('location')[0] ?? '', 'http://site.test/a/b');
    assert.equal(seen.href, new URL(expected, 'http://site.test').href, location);
  }
});

test('everything else that the site says of itself passes', async (t) => {
  const lines = [
    ...['Set-Cookie: a=1; Domain=site.test', 'Access-Control-Allow-Origin: *'],
    ...['Strict-Transport-Security: max-age=1', 'Clear-Site-Data: "*"', 'Alt-Svc: clear'],
  ];
  const site = await answerWith(t, answer(...lines));
  const proxy = await startTestProxy(t, { site: { url: site.url, preserveHost: false } });
  const { headers } = await ask(t, proxy.port, get('/'));
  const passed = headers.map(([name, value]) => `${name}: ${value}`);
  for (const line of lines) assert.ok(passed.includes(line), line);
});

test('a site that keeps the Host of the client is not rewritten at all', async (t) => {
  const location = 'Location: http://site.test//evil.test/x';
  const site = await answerWith(t, answer(location));
  const proxy = await startTestProxy(t, { site: site.url });
  const lines = ['Origin: http://site.test', 'Referer: http://site.test/page'];
  const { values } = await ask(t, proxy.port, get('/x', ...lines));
  assert.deepEqual(values('location'), ['http://site.test//evil.test/x']);
  const head = lastHead(site);
  assert.deepEqual(head.values('host'), ['site.test']);
  assert.deepEqual(head.values('origin'), ['http://site.test']);
  assert.deepEqual(head.values('referer'), ['http://site.test/page']);
});
