import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * With `setCookie: "keep"` polls are one client's with a jar of its own: what the client sent goes on
 * as it was sent, until the site replaces it.
 */

const LINES: readonly (readonly string[])[] = [
  ['__Host-sid=1'],
  ['__Secure-sid=1; __Host-x=2'],
  ['sid=1; sid=2'],
  ['sid=2', 'sid=1'],
  ['b=1; a=2;c=3'],
  ['sid'],
  ['sid='],
  ['sid=caf\xc3\xa0'],
  ['sid="a b"; x=a=b'],
];

for (const lines of LINES) {
  test(`the cookies of a client reach the site as it sent them: ${JSON.stringify(lines)}`, async (t) => {
    const site = await startUpstream(t, (_req, res) => res.end('1'));
    const live = { '/x': { every: '1h', setCookie: 'keep' } };
    const proxy = await startTestProxy(t, { site: site.url, live });
    const client = connectRaw(t, proxy.port);
    client.send(get('/x', 'Accept: text/event-stream', ...lines.map((line) => `Cookie: ${line}`)));
    await client.receive('data: 1');
    const raw = site.requests[0]?.rawHeaders ?? [];
    const sent = raw.filter((_, i) => raw[i - 1]?.toLowerCase() === 'cookie');
    assert.deepEqual(sent, lines);
  });
}

test("a cookie that the site sets takes the place of the client's, one that it deletes is gone", async (t) => {
  const answers = [
    'sid=new; Path=/; Secure; HttpOnly',
    'sid=gone; Max-Age=0; Path=/',
    'x=9; Path=/other',
  ];
  const site = await startUpstream(t, (_req, res) => {
    const line = answers[site.requests.length - 1];
    if (line) res.setHeader('set-cookie', line);
    res.end(String(site.requests.length));
  });
  const live = { '/x': { every: '50ms', setCookie: 'keep' } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  const client = connectRaw(t, proxy.port);
  client.send(get('/x', 'Accept: text/event-stream', 'Cookie: sid=old; x=1; __Host-y=2'));
  await until(() => site.requests.length >= 4);
  const sent = site.requests
    .slice(0, 4)
    .map(({ headers }) => headers.cookie?.split('; ').sort().join('; '));
  assert.deepEqual(sent, [
    '__Host-y=2; sid=old; x=1',
    '__Host-y=2; sid=new; x=1',
    '__Host-y=2; x=1',
    '__Host-y=2; x=1',
  ]);
});
