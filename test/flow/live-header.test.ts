import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';
import { LIST, openRpcSite } from './rpc-site.ts';
import { live, ownPage, scriptSite } from './script-site.ts';

test('an absorbed answer says what is live, and which state it holds', async (t) => {
  const site = await scriptSite(t, { vary: [] });
  const told = live(await fetch(`${site.proxy.url}/state?b=1&_=17`));
  assert.equal(told.address, '/state?b=1');
  assert.equal(told.parameters['ignore'], '_');
  assert.equal(told.parameters['ticket'], undefined);
  const lines = await openLines(
    t,
    `${site.proxy.url}/_comet/stream?url=${encodeURIComponent(told.address)}&since=${told.parameters['id']}`,
  );
  site.state = { n: 2 };
  const event = await lines.next();
  assert.deepEqual([event['event'], event['data']], ['snapshot', { n: 2 }]);
});

test('so does the answer of the site itself, without a state', async (t) => {
  const site = await scriptSite(t, { vary: [], polls: 'pass' });
  const told = live(await fetch(`${site.proxy.url}/state`));
  assert.deepEqual([told.address, told.parameters['id']], ['/state', undefined]);
});

test('a 304 says it as well', async (t) => {
  const site = await scriptSite(t, { vary: [] });
  const { headers } = await fetch(`${site.proxy.url}/state`);
  const again = await fetch(`${site.proxy.url}/state`, {
    headers: { 'if-none-match': headers.get('etag') ?? '' },
  });
  assert.equal(again.status, 304);
  assert.equal(live(again).address, '/state');
});

const SILENT: [rule: string, config: object, path: string, init: RequestInit][] = [
  ['of what is not live', {}, '/other', {}],
  ['where no page gets the script', { inject: [] }, '/state', {}],
  ['to pages of other sites', {}, '/state', { headers: { origin: 'https://a.example' } }],
  ['of a part', {}, '/state', { headers: { range: 'bytes=0-1' } }],
  ['of an error', {}, '/state?fail', {}],
  ['of what is meant for one client only', { live: { '/state': '1s' } }, '/state?personal', {}],
];
for (const [rule, config, path, init] of SILENT) {
  test(`nothing is said: ${rule}`, async (t) => {
    const site = await scriptSite(t, { vary: [] }, config);
    await (await fetch(`${site.proxy.url}${path}`, init)).text();
    const answer = await fetch(`${site.proxy.url}${path}`, init);
    await answer.text();
    assert.equal(answer.headers.get('comet-live'), null);
  });
}

test('the site cannot say it in our place', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('comet-live', '"/evil"').end('x');
  });
  const proxy = await startTestProxy(t, { site: upstream.url, inject: ['/**'] });
  assert.equal((await fetch(`${proxy.url}/x`)).headers.get('comet-live'), null);
});

test('a stream with a ticket carries what the request carried: headers of a script too', async (t) => {
  const site = await scriptSite(t, { vary: ['cookie', 'x-token'] });
  const headers = { cookie: 'S=1', 'x-token': 'abc' };
  const told = live(await fetch(`${site.proxy.url}/state`, { headers }));
  const lines = await openLines(
    t,
    `${site.proxy.url}/_comet/stream?${told.query}&form=answer`,
    ownPage,
  );
  const { data } = await lines.next();
  assert.equal(data, '{"n":1,"cookie":"S=1","token":"abc"}');
});

test('a ticket is the same for the same client, and another one for another', async (t) => {
  const site = await scriptSite(t);
  const ticket = async (cookie: string) =>
    live(await fetch(`${site.proxy.url}/state`, { headers: { cookie } })).parameters['ticket'];
  assert.match(String(await ticket('S=1')), /^[\w-]{22}$/);
  assert.equal(await ticket('S=1'), await ticket('S=1'));
  assert.notEqual(await ticket('S=1'), await ticket('S=2'));
});

test('a poll by POST is followed by its ticket, under a name made of its body', async (t) => {
  const site = await openRpcSite(t, { ...LIST, vary: [], rpc: 'json-rpc', ignoreBody: ['/tag'] });
  const call = async (id: number) => live(await site.call({ method: 'list', id, tag: id }));
  const told = await call(1);
  assert.match(told.address, /^\/rpc#[\w-]{16}$/);
  assert.deepEqual(
    [told.parameters['ignoreBody'], told.parameters['rpc']],
    [encodeURIComponent('/tag'), true],
  );
  assert.equal((await call(2)).address, told.address);
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?${told.query}`, ownPage);
  const event = await lines.next();
  assert.deepEqual(
    [event['url'], event['data']],
    [told.address, { asked: 'list', count: 0, id: 1 }],
  );
});

test('form=answer gives the exact body with its status and headers', async (t) => {
  const exact = '{ "n": 1.0,\r\n "big": 12345678901234567890 }';
  const upstream = await startUpstream(t, (_req, res) => {
    const headers = { 'content-type': 'application/json', etag: '"e1"', 'set-cookie': 'a=b' };
    res.writeHead(200, headers).end(exact);
  });
  const endpoint = { every: '1s', vary: [], setCookie: 'drop' };
  const proxy = await startTestProxy(t, { site: upstream.url, live: { '/s': endpoint } });
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/s&form=answer`);
  const { id, headers, ...event } = await lines.next();
  assert.equal(typeof id, 'string');
  assert.deepEqual(event, {
    url: '/s',
    event: 'snapshot',
    status: 200,
    contentType: 'application/json',
    data: exact,
  });
  assert.deepEqual(headers, { 'content-type': 'application/json', etag: '"e1"' });
});

test('a ticket that is not valid ends its own URL only', async (t) => {
  const site = await scriptSite(t, { vary: [] });
  const urls = 'url=/state&ticket=unknown&url=/state%23x';
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?${urls}`, ownPage);
  const events = [await lines.next(), await lines.next()];
  assert.deepEqual(
    events.map(({ url, event }) => [url, event]),
    [
      ['/state', 'unauthorized'],
      ['/state#x', 'snapshot'],
    ],
  );
  assert.deepEqual(events[0]?.['data'], { status: 403, reason: 'ticket' });
});
