import assert from 'node:assert/strict';
import { test } from 'node:test';
import { live, ownPage, scriptSite } from '../flow/script-site.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { openLines } from '../support/stream-client.ts';

/*
 * A ticket stands for a request with its credentials: it must be worth nothing to anybody else.
 */

const SITE = { vary: ['cookie'] };
const ALICE = { cookie: 'S=alice', 'user-agent': 'browser' };

async function followed(url: string, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(url, { headers: { ...headers, prefer: 'x' } });
  return `${answer.status} ${await answer.text()}`;
}

const THIEVES: [rule: string, headers: Record<string, string>, expected: RegExp][] = [
  ['in another browser', { ...ownPage, 'user-agent': 'other' }, /"reason":"ticket"/],
  [
    'behind another address',
    { ...ownPage, 'user-agent': 'browser', 'x-forwarded-for': '192.0.2.7' },
    /"reason":"ticket"/,
  ],
  ['in a link of another site', { 'user-agent': 'browser' }, /^403 UNPROVEN_ORIGIN/],
  [
    'in a page of another site',
    { 'user-agent': 'browser', 'sec-fetch-site': 'cross-site' },
    /^403 CROSS_SITE/,
  ],
];
for (const [rule, headers, expected] of THIEVES) {
  test(`a ticket is worth nothing ${rule}`, async (t) => {
    const site = await scriptSite(t, SITE, { trustedProxies: ['127.0.0.1'] });
    const mine = { ...ALICE, 'x-forwarded-for': '192.0.2.1' };
    const { query } = live(await fetch(`${site.proxy.url}/state`, { headers: mine }));
    const url = `${site.proxy.url}/_comet/poll?wait=0&${query}`;
    assert.match(await followed(url, { 'x-forwarded-for': '192.0.2.1', ...headers }), expected);
    assert.match(
      await followed(url, { ...ownPage, 'user-agent': 'browser', 'x-forwarded-for': '192.0.2.1' }),
      /S=alice/,
    );
  });
}

test('a ticket leads to the URL that it was given for, and to no other', async (t) => {
  const site = await scriptSite(t, SITE);
  const told = live(await fetch(`${site.proxy.url}/state?a`, { headers: ALICE }));
  const url = `${site.proxy.url}/_comet/poll?wait=0&url=/state%3Fb&ticket=${told.parameters['ticket']}`;
  assert.match(await followed(url, { ...ownPage, 'user-agent': 'browser' }), /"reason":"ticket"/);
});

test('the credentials of who comes with a ticket play no part', async (t) => {
  const site = await scriptSite(t, SITE);
  const { query } = live(await fetch(`${site.proxy.url}/state`, { headers: ALICE }));
  const headers = { ...ownPage, 'user-agent': 'browser', cookie: 'S=bob' };
  const told = await followed(`${site.proxy.url}/_comet/poll?wait=0&${query}`, headers);
  assert.match(told, /S=alice/);
  assert.doesNotMatch(told, /bob/);
});

test('after the logout of its session a ticket leads nowhere', async (t) => {
  const site = await scriptSite(t, SITE, { logoutOn: ['POST /logout'] });
  const { query } = live(await fetch(`${site.proxy.url}/state`, { headers: ALICE }));
  const other = live(
    await fetch(`${site.proxy.url}/state`, { headers: { ...ALICE, cookie: 'S=bob' } }),
  );
  await fetch(`${site.proxy.url}/logout`, { method: 'POST', headers: ALICE });
  const headers = { ...ownPage, 'user-agent': 'browser' };
  const poll = `${site.proxy.url}/_comet/poll?wait=0&`;
  assert.match(await followed(poll + query, headers), /"reason":"ticket"/);
  assert.match(await followed(poll + other.query, headers), /S=bob/);
});

test('a ticket is valid for an hour', async (t) => {
  const clock = createFakeClock();
  const site = await scriptSite(t, SITE, { limits: { maxStreamAge: '0s' } }, clock);
  const { query } = live(await fetch(`${site.proxy.url}/state`, { headers: ALICE }));
  const headers = { ...ownPage, 'user-agent': 'browser' };
  const ask = async () => {
    const lines = await openLines(t, `${site.proxy.url}/_comet/stream?${query}`, headers);
    const { event } = await lines.next();
    lines.close();
    return event;
  };
  await clock.advance(3_599_000);
  assert.equal(await ask(), 'snapshot');
  await clock.advance(2_000);
  assert.equal(await ask(), 'unauthorized');
});
