import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask } from '../support/raw-answer.ts';
import { HANDSHAKE } from '../support/raw-websocket.ts';

/*
 * Cross-site WebSocket hijacking: browsers let any page open a WebSocket to any host, with the
 * cookies of that host, and read what comes. Only the server can refuse, by `Origin`.
 */

const OWN = 'https://shop.example';
const LISTED = 'https://partner.example';

/** A handshake as a browser sends it, with these header lines. */
function handshake(target: string, ...lines: string[]): string {
  const head = [`GET ${target} HTTP/1.1`, 'Host: shop.example', 'X-Forwarded-Proto: https'];
  return [...head, 'Cookie: SESSION=victim', ...HANDSHAKE, ...lines, '', ''].join('\r\n');
}

const REFUSED: readonly [who: string, lines: readonly string[]][] = [
  ['a stranger', ['Origin: https://evil.example']],
  ['a page without an origin', ['Origin: null']],
  ['an empty origin', ['Origin: ']],
  ['our host as a prefix', [`Origin: ${OWN}.evil.example`]],
  ['our host as a suffix', ['Origin: https://evilshop.example']],
  ['our host as a user name', [`Origin: ${OWN}@evil.example`]],
  ['a sibling host', ['Origin: https://www.shop.example']],
  ['our host by another scheme', ['Origin: http://shop.example']],
  ['our host by another port', [`Origin: ${OWN}:8443`]],
  ['a listed host by another scheme', ['Origin: http://partner.example']],
  ['a listed origin as a prefix', [`Origin: ${LISTED}.evil.example`]],
  ['our origin with a path', [`Origin: ${OWN}/`]],
  [
    'a page that claims to be same-origin',
    ['Origin: https://evil.example', 'Sec-Fetch-Site: same-origin'],
  ],
  ['a cross-site page that hides its name', ['Sec-Fetch-Site: cross-site']],
];
const ALLOWED: readonly [who: string, lines: readonly string[]][] = [
  ['a page of our own', [`Origin: ${OWN}`, 'Sec-Fetch-Site: same-origin']],
  ['our origin in other letters', ['Origin: HTTPS://Shop.Example']],
  [
    'a listed origin',
    [`Origin: ${LISTED}`, 'Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: websocket'],
  ],
  ['a program, which sends no Origin', []],
];
const WHERE: readonly [where: string, target: string][] = [
  ['/_comet/ws', '/_comet/ws?url=/api/me'],
  ['/_comet/ws without a URL', '/_comet/ws'],
  ["an endpoint's own URL", '/api/me'],
];
const CONFIG = {
  live: { '/api/me': { every: '1h' } },
  origins: [LISTED],
  trustedProxies: ['127.0.0.1'],
};

for (const [where, target] of WHERE) {
  for (const [who, lines] of REFUSED) {
    test(`on ${where} ${who} is refused before the 101, and the site sees nothing`, async (t) => {
      const site = await startStates(t, { '/api/me': '"secret"' });
      const proxy = await startTestProxy(t, { site: site.url, ...CONFIG });
      const answer = await ask(t, proxy.port, handshake(target, ...lines));
      assert.equal(answer.status, 403);
      assert.match(answer.body, /^CROSS_SITE: /);
      assert.equal(answer.rest, '', 'and nothing behind it');
      assert.deepEqual(site.requests, []);
      assert.equal(proxy.streamCount, 0);
    });
  }
  for (const [who, lines] of ALLOWED) {
    test(`on ${where} ${who} is let in`, async (t) => {
      const site = await startStates(t, { '/api/me': '"secret"' });
      const proxy = await startTestProxy(t, { site: site.url, ...CONFIG });
      const { status } = await ask(t, proxy.port, handshake(target, ...lines));
      assert.equal(status, 101);
      assert.ok(site.requests.every(({ headers }) => headers.upgrade === undefined));
    });
  }
}

test('a handshake that claims to be another kind of load is refused', async (t) => {
  const site = await startStates(t, { '/api/me': '"secret"' });
  const proxy = await startTestProxy(t, { site: site.url, ...CONFIG });
  for (const [, target] of WHERE) {
    for (const destination of ['document', 'script', 'iframe', 'image']) {
      const lines = [`Origin: ${OWN}`, `Sec-Fetch-Dest: ${destination}`];
      const answer = await ask(t, proxy.port, handshake(target, ...lines));
      assert.equal(answer.status, 403);
      assert.match(answer.body, /^WRONG_DESTINATION: /);
    }
  }
  assert.deepEqual(site.requests, []);
});

const WRONG: readonly [what: string, target: string, status: number, code: string][] = [
  ['another path below /_comet/', '/_comet/wss', 404, 'NOT_FOUND'],
  ['the name of another transport', '/_comet/sse?url=/api/me', 404, 'NOT_FOUND'],
  ['the prefix in other bytes', '/%5Fcomet/ws?url=/api/me', 404, 'NOT_FOUND'],
  ['a URL that is not live', '/_comet/ws?url=/admin', 404, 'NOT_LIVE'],
  ['a URL of ours', '/_comet/ws?url=/_comet/ws', 404, 'NOT_LIVE'],
  ['a URL of another site', '/_comet/ws?url=//evil.example/api/me', 400, 'BAD_URL'],
];
for (const [what, target, status, code] of WRONG) {
  test(`a handshake for ${what} is refused and never reaches the site`, async (t) => {
    const site = await startStates(t, { '/api/me': '"secret"' });
    const proxy = await startTestProxy(t, { site: site.url, ...CONFIG });
    const answer = await ask(t, proxy.port, handshake(target, `Origin: ${OWN}`));
    assert.equal(answer.status, status);
    assert.ok(answer.body.startsWith(`${code}: `), answer.body);
    assert.deepEqual(site.requests, []);
  });
}
