import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactUrl } from '../../src/shared/logger.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

const URLS: [url: string, logged: string][] = [
  ['/a?token=S&x=1', '/a?token=***&x=1'],
  ['/a?x=1&access_token=S', '/a?x=1&access_token=***'],
  ['/a?PHPSESSID=S', '/a?PHPSESSID=***'],
  ['/a?session=S&api-key=S', '/a?session=***&api-key=***'],
  ['/_comet/sse?url=%2Fa%3Ftoken%3DS%26x%3D1', '/_comet/sse?url=%2Fa%3Ftoken%3D***%26x%3D1'],
  ['/a?x?token=S', '/a?x?token=***'],
  ['/a;jsessionid=S', '/a;jsessionid=***'],
  ['/_comet/sse?url=%2Fa%3Bjsessionid%3DS', '/_comet/sse?url=%2Fa%3Bjsessionid%3D***'],
  ['/a?keyboard=1&monkey=2', '/a?keyboard=1&monkey=2'],
];

for (const [url, logged] of URLS) {
  test(`${url.replaceAll('S', '…')} is logged without its secret`, () => {
    assert.equal(redactUrl(url), logged);
  });
}

test('no credential of a client stands in any line of the log', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.socket?.resetAndDestroy());
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/x': '50ms' },
    log: { access: 'json' },
  });
  const headers = { cookie: 'id=SECRET', authorization: 'Bearer SECRET' };
  const stream = await openEventStream(t, `${proxy.url}/x?token=SECRET`, headers);
  assert.equal((await stream.next()).event, 'stale');
  await fetch(`${proxy.url}/x?token=SECRET`, { headers }).catch(() => undefined);
  await fetch(`${proxy.url}/_comet/sse?url=%2Fno%3Ftoken%3DSECRET`, { headers });
  await fetch(`${proxy.url}/_comet/sse?url=no%3Ftoken%3DSECRET`, { headers });
  assert.ok(proxy.lines.length >= 5, 'something was logged');
  assert.doesNotMatch(JSON.stringify(proxy.lines), /SECRET/);
});
