import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIST, openRpcSite } from '../flow/rpc-site.ts';
import { openEnvelopes } from '../flow/socket-client.ts';
import { ask, get } from '../support/raw-answer.ts';
import { openLines } from '../support/stream-client.ts';

const QUERY = `url=/rpc&body=${encodeURIComponent('{"method":"list"}')}`;

/** What a browser sends along with a load that a page of another site has caused, and programs. */
const UNPROVEN: [rule: string, headers: Record<string, string>][] = [
  ['a link or an image of a page that says nothing of itself', {}],
  ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
  ['a page of a sibling', { 'sec-fetch-site': 'same-site' }],
  ['a bookmark', { 'sec-fetch-site': 'none' }],
  ['another origin', { origin: 'https://evil.example' }],
  ['an origin without a name', { origin: 'null' }],
  ['a page that another origin links from', { referer: 'https://evil.example/a' }],
  ['an origin that is listed for reading', { origin: 'https://partner.example' }],
  [
    'a link in a page of our own',
    { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' },
  ],
  [
    'an image in a page of our own',
    { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' },
  ],
];
for (const transport of ['sse', 'stream', 'poll', 'multipart', 'iframe']) {
  for (const [rule, headers] of UNPROVEN) {
    test(`${transport}: no GET of ${rule} makes the proxy send a POST`, async (t) => {
      const site = await openRpcSite(t, LIST);
      // `fetch` of Node sets some of these headers by itself.
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const request = get(`/_comet/${transport}?${QUERY}`, 'Cookie: sid=1', ...lines);
      const refusal = await ask(t, site.proxy.port, request);
      assert.match(refusal.body, /UNPROVEN_ORIGIN|CROSS_SITE/);
      assert.deepEqual(site.calls, []);
    });
  }
}

test('our own page, by whatever it proves it, may', async (t) => {
  const site = await openRpcSite(t, LIST);
  const { url } = site.proxy;
  for (const headers of [
    { 'sec-fetch-site': 'same-origin' },
    { origin: url },
    { referer: `${url}/page` },
  ]) {
    const lines = await openLines(t, `${url}/_comet/stream?${QUERY}`, headers);
    assert.deepEqual((await lines.next())['data'], { asked: 'list', count: 0 });
  }
});

test('a WebSocket of another origin is refused, and one without an origin is no browser', async (t) => {
  const site = await openRpcSite(t, LIST);
  const client = await openEnvelopes(t, site.proxy.url, `?${QUERY}`);
  assert.equal((await client.next()).event, 'snapshot');
  await assert.rejects(
    openEnvelopes(t, site.proxy.url, `?${QUERY}`, { origin: 'https://evil.example' }),
  );
});
