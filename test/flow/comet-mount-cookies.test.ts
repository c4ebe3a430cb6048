import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CookieJar } from '../rewriting/cookie-jar.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';
import { lastHead, startMountScene } from './comet-mount-scene.ts';

function answerSetting(...cookies: string[]): string {
  const lines = cookies.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join('');
  return `HTTP/1.1 200 OK\r\n${lines}Content-Length: 0\r\n\r\n`;
}

test('a browser with cookies of the site and of three mounts shows each to its own server', async (t) => {
  const names = ['site', 'outer', 'inner', 'other'] as const;
  const answer = (name: string) =>
    answerSetting(
      `SESSION=${name}; Path=/`,
      `JSESSIONID=${name}; Domain=127.0.0.1; Secure; SameSite=None`,
    );
  const [site, outer, inner, other] = await Promise.all(
    names.map((name) => answerWith(t, answer(name))),
  );
  if (!site || !outer || !inner || !other) throw new Error('unreachable');
  const proxy = await startTestProxy(t, {
    site: site.url,
    comet: {
      '/a': { origin: `${outer.url}/root/`, cookies: ['shared'] },
      '/a/b': inner.url,
      '/other': other.url,
    },
  });
  const jar = new CookieJar();
  jar.set('http://site.test/', 'shared=yes; Path=/');
  const visit = async (path: string) => {
    const url = `http://site.test${path}`;
    const cookies = jar.header(url);
    const lines = cookies === '' ? [] : [`Cookie: ${cookies}`];
    const { values } = await ask(t, proxy.port, get(path, ...lines));
    for (const header of values('set-cookie')) jar.set(url, header);
  };
  for (let round = 0; round < 2; round++) {
    for (const path of ['/x', '/a/x', '/a/b/x', '/other/x']) await visit(path);
  }
  const seen = (upstream: typeof site) =>
    lastHead(upstream).values('cookie').join().split('; ').toSorted();
  // A secure cookie over http is lost by a site of its own: that of the site is not ours to change.
  assert.deepEqual(seen(site), ['SESSION=site', 'shared=yes']);
  assert.deepEqual(seen(outer), ['JSESSIONID=outer', 'SESSION=outer', 'shared=yes']);
  assert.deepEqual(seen(inner), ['JSESSIONID=inner', 'SESSION=inner']);
  assert.deepEqual(seen(other), ['JSESSIONID=other', 'SESSION=other']);
});

test('each cookie stays in a line of its own, with its bytes', async (t) => {
  const answer = answerSetting(
    'a=x,y=z; Path=/bayeux/x',
    'caf=\xe9; HttpOnly',
    '__Host-s=1; Secure; Path=/',
  );
  const { proxy } = await startMountScene(t, { answer });
  const { values } = await ask(t, proxy.port, get('/chat/y/z'));
  assert.deepEqual(values('set-cookie'), [
    'chat~a=x,y=z; Path=/chat/x; SameSite=Lax',
    'chat~caf=\xe9; HttpOnly; Path=/chat/y; SameSite=Lax',
    'chat~__Host-s=1; Path=/chat; SameSite=Lax',
  ]);
});

test('cookies that arrive in several lines reach the origin in one, with their bytes', async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: answerSetting() });
  const lines = ['Cookie: chat~a="x y"; SESSION=1', 'COOKIE: chat~b=\xe9=;chat~__Host-s=1'];
  await ask(t, proxy.port, get('/chat/x', ...lines));
  assert.deepEqual(lastHead(origin).values('cookie'), ['a="x y"; b=\xe9=; __Host-s=1']);
});

test("Connection cannot bring the site's cookies to an origin", async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: answerSetting() });
  await ask(t, proxy.port, get('/chat/x', 'Connection: cookie', 'Cookie: SESSION=1; chat~a=2'));
  assert.deepEqual(lastHead(origin).values('cookie'), ['a=2']);
});

test('cookies of an error, of a redirect and of an early answer are mapped as well', async (t) => {
  for (const status of [
    '500 Error',
    '304 Not Modified',
    '204 No Content',
    '302 Found',
    '401 Who',
  ]) {
    const origin = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => {
        peer.send(`HTTP/1.1 ${status}\r\nSet-Cookie: a=1; Path=/\r\nConnection: close\r\n\r\n`);
        peer.socket.end();
      });
    });
    const proxy = await startTestProxy(t, { site: origin.url, comet: { '/chat': origin.url } });
    const { values } = await ask(t, proxy.port, get('/chat/x'));
    assert.deepEqual(values('set-cookie'), ['chat~a=1; Path=/chat; SameSite=Lax'], status);
  }
});
