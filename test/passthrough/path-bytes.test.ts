import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const EXACT = [
  '/',
  '//',
  '//a//b',
  '//evil.example/x',
  '/a/../b',
  '/a/./b/..',
  '/..',
  '/%2e%2e/b',
  '/a%2Fb%2fc',
  '/%5C..%5c',
  '/a\\b',
  '/{}|^`',
  '/"quoted"\'too\'',
  '/<a>',
  '/a;x;y=1/b;z',
  '/?',
  '/??a=b?c',
  '/a?&&=&x=%20+',
  '/a?x=http://b/c',
  '/%',
  '/%zz',
  '/%00',
  '/caf%C3%A9',
  '/caf%E9',
  '/~user/!$&()*+,=:@',
  '/[1]',
  '/http://other.example/',
  '/_comet-not-ours',
  '/_cometx/y',
  '/a/_comet/x',
];

test('the bytes of a path reach the site as they are', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (const target of EXACT) {
    const before = upstream.connections[0]?.received.length ?? 0;
    assert.equal((await ask(t, proxy.port, get(target))).status, 200, target);
    const head = upstream.connections[0]?.received.slice(before) ?? '';
    assert.equal(head.split('\r\n', 1)[0], `GET ${target} HTTP/1.1`);
  }
  assert.equal(upstream.connections.length, 1);
});

test('bytes beyond ASCII reach the site as they are, or are refused', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (const target of ['/caf\xe9', '/caf\xc3\xa9?\xff=\x80']) {
    const answer = await ask(t, proxy.port, get(target));
    const all = upstream.connections.map(({ received }) => received).join('');
    if (answer.status === 200) assert.ok(all.includes(`GET ${target} HTTP/1.1\r\n`), target);
    else assert.deepEqual([answer.status, all], [400, '']);
  }
});

const ABSOLUTE: Record<string, readonly [target: string, host: string]> = {
  'http://site.test/a//b?c': ['/a//b?c', 'site.test'],
  'http://site.test': ['/', 'site.test'],
  'http://site.test?x=1': ['/?x=1', 'site.test'],
  'HTTP://Site.TEST:81/%2e%2e': ['/%2e%2e', 'Site.TEST:81'],
  'https://site.test/': ['/', 'site.test'],
  'http://[::1]:8080/x': ['/x', '[::1]:8080'],
};

for (const [sent, [target, host]] of Object.entries(ABSOLUTE)) {
  test(`a target in absolute form becomes path and Host: ${sent}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    assert.equal((await ask(t, proxy.port, get(sent))).status, 200);
    const head = upstream.connections[0]?.received ?? '';
    assert.equal(head.split('\r\n', 1)[0], `GET ${target} HTTP/1.1`);
    assert.deepEqual(head.match(/(?<=^host: ).*$/gim), [host]);
  });
}

const REFUSED = [
  'GET * HTTP/1.1',
  'GET http://user@site.test/ HTTP/1.1',
  'GET http:///x HTTP/1.1',
  'GET http://a:b:c/ HTTP/1.1',
  'GET http://[ HTTP/1.1',
  'GET ftp://site.test/ HTTP/1.1',
  'GET ws://site.test/ HTTP/1.1',
  'GET javascript:alert(1) HTTP/1.1',
  'GET site.test HTTP/1.1',
  'GET /a#b HTTP/1.1',
  'GET #b HTTP/1.1',
];

for (const line of REFUSED) {
  test(`a target that is no path of a site is refused: ${line}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, `${line}\r\nHost: site.test\r\n\r\n`);
    assert.equal(answer.status, 400);
    assert.match(answer.body, /^BAD_(?:TARGET|REQUEST): /);
    assert.equal(upstream.connections.length, 0);
  });
}
