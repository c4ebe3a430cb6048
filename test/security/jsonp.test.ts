import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get } from '../support/raw-answer.ts';

/*
 * Any page may include a script of any site, with that site's cookies, and what it loads runs in
 * that page: events must only go to pages that may see them, and nothing of a request may become
 * code.
 */

const LISTED = 'https://partner.example';
/** As the raw requests name us. */
const OWN = 'http://site.test';
const FROM_OWN = `Referer: ${OWN}/page?x=1`;

async function scene(t: TestContext, state = '{"n":1}') {
  const site = await startStates(t, { '/public': state, '/private': state, '/default': state });
  const transports = ['jsonp'];
  const live = {
    '/public': { every: '1h', vary: [], transports },
    '/private': { every: '1h', vary: ['cookie'], transports },
    '/default': { every: '1h', vary: [] },
  };
  const proxy = await startTestProxy(t, { site: site.url, live, origins: [LISTED] });
  const load = (query: string, ...lines: string[]): Promise<RawAnswer> =>
    ask(t, proxy.port, get(`/_comet/jsonp?${query}`, ...lines));
  return { site, load };
}

/** What a page's function is called with; the page has a document that a script could reach. */
function run(script: string, callback = 'got'): unknown[] {
  const calls: unknown[] = [];
  const page = createContext({ [callback]: (value: unknown) => void calls.push(value) });
  runInContext(script, page);
  // By way of JSON: objects of another realm are never deeply equal to ours.
  return JSON.parse(JSON.stringify(calls)) as unknown[];
}

test('JSONP is off unless the endpoint names it, and that is told to the callback', async (t) => {
  const { site, load } = await scene(t);
  const { status, body } = await load('url=/default&callback=got', FROM_OWN);
  assert.equal(status, 200, 'a script with another status is not run');
  const [{ error }] = run(body) as [{ error: { code: string; status: number } }];
  assert.deepEqual([error.code, error.status], ['TRANSPORT_NOT_ALLOWED', 406]);
  assert.deepEqual(site.requests, []);
});

const CALLBACKS = [
  '',
  'a.b',
  'a[0]',
  'alert(1)//',
  'got;alert(1)',
  '1got',
  'got ',
  'g\u00f6t',
  'got\n',
  '<script>',
  'x'.repeat(65),
];
test('a callback that is not one plain name is refused and never repeated', async (t) => {
  const { site, load } = await scene(t);
  for (const callback of CALLBACKS) {
    const query = `url=/public&callback=${encodeURIComponent(callback)}`;
    const answer = await load(query, FROM_OWN);
    assert.equal(answer.status, 400, callback);
    assert.match(answer.body, /^BAD_PARAMETER: /);
    assert.deepEqual(answer.values('content-type'), ['text/plain; charset=utf-8']);
    assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
    if (callback.length > 1) assert.ok(!answer.body.includes(callback), callback);
  }
  for (const query of ['url=/public', 'url=/public&callback=a&callback=b']) {
    assert.equal((await load(query, FROM_OWN)).status, 400, query);
  }
  assert.deepEqual(site.requests, []);
});

for (const callback of ['g', '$', '_', 'jQuery_123', `$${'x'.repeat(63)}`]) {
  test(`the callback ${callback.slice(0, 12)} is called once, with the events`, async (t) => {
    const { load } = await scene(t);
    const { status, body } = await load(
      `url=/public&callback=${encodeURIComponent(callback)}`,
      FROM_OWN,
    );
    assert.equal(status, 200);
    const [{ events }, ...more] = run(body, callback) as [{ events: { data: unknown }[] }];
    assert.deepEqual(more, []);
    assert.deepEqual(
      events.map(({ data }) => data),
      [{ n: 1 }],
    );
  });
}

test('an answer that comes when its page has forgotten the callback does nothing', async (t) => {
  const { load } = await scene(t);
  const { body } = await load('url=/public&callback=gone', FROM_OWN);
  assert.deepEqual(run(body, 'other'), []);
});

const UNPROVEN: readonly [who: string, lines: readonly string[], code: string][] = [
  ['a request that does not say where it comes from', [], 'CROSS_SITE'],
  ['a foreign page', ['Referer: https://evil.example/'], 'CROSS_SITE'],
  [
    'a foreign page with our name in its path',
    [`Referer: https://evil.example/${OWN}/`],
    'CROSS_SITE',
  ],
  [
    'a foreign page on a host that begins as ours',
    ['Referer: http://site.test.evil.example/'],
    'CROSS_SITE',
  ],
  ['a page on our host by another scheme', ['Referer: https://site.test/'], 'CROSS_SITE'],
  ['a referrer that is no URL', ['Referer: site.test'], 'CROSS_SITE'],
  ['a page without an origin', ['Origin: null', FROM_OWN], 'CROSS_SITE'],
  [
    'a foreign page that sends our referrer',
    ['Origin: https://evil.example', FROM_OWN],
    'CROSS_SITE',
  ],
  ['a cross-site load with our referrer', ['Sec-Fetch-Site: cross-site', FROM_OWN], 'CROSS_SITE'],
  ['a load by a sibling site', ['Sec-Fetch-Site: same-site', FROM_OWN], 'CROSS_SITE'],
  ['a load by no page', ['Sec-Fetch-Site: none'], 'CROSS_SITE'],
  ...['empty', 'document', 'iframe', 'image', 'style', 'worker', 'object'].map(
    (destination): [string, readonly string[], string] => [
      `a load that is no script but ${destination}`,
      ['Sec-Fetch-Site: same-origin', `Sec-Fetch-Dest: ${destination}`],
      'WRONG_DESTINATION',
    ],
  ),
];
for (const [who, lines, code] of UNPROVEN) {
  test(`${who} is refused, also for a public endpoint`, async (t) => {
    const { site, load } = await scene(t);
    for (const path of ['/public', '/private']) {
      const answer = await load(`url=${path}&callback=got`, ...lines);
      assert.equal(answer.status, 403);
      assert.ok(answer.body.startsWith(`${code}: `), answer.body);
    }
    assert.deepEqual(site.requests, []);
  });
}

const PROVEN: readonly [who: string, ...lines: string[]][] = [
  ['a page of ours in a modern browser', 'Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: script'],
  ['a page of ours in an old browser', FROM_OWN],
  ['a page of ours in other letters', 'Referer: HTTP://Site.Test/'],
];
for (const [who, ...lines] of PROVEN) {
  test(`${who} gets public and private endpoints`, async (t) => {
    const { load } = await scene(t);
    for (const path of ['/public', '/private']) {
      const { status, body } = await load(`url=${path}&callback=got`, ...lines);
      assert.equal(status, 200);
      assert.match(body, /snapshot/);
    }
  });
}

test('a listed origin gets public endpoints, and private ones never, not even beside others', async (t) => {
  const { site, load } = await scene(t);
  const lines = [`Referer: ${LISTED}/`, 'Sec-Fetch-Site: cross-site', 'Cookie: id=victim'];
  const open = await load('url=/public&callback=got', ...lines);
  assert.match(open.body, /snapshot/);
  assert.deepEqual(open.values('cross-origin-resource-policy'), ['cross-origin']);
  for (const query of ['url=/private', 'url=/public&url=/private', 'url=/private&url=/public']) {
    const { body } = await load(`${query}&callback=got`, ...lines);
    const [{ error, events }] = run(body) as [{ error: { code: string }; events?: unknown }];
    assert.equal(error.code, 'CROSS_SITE');
    assert.equal(events, undefined);
  }
  assert.equal(site.polls('/private'), 0);
});

test('the answer can be nothing but a script of our own pages', async (t) => {
  const { load } = await scene(t);
  const good = await load('url=/public&callback=got', FROM_OWN);
  const refused = await load('url=/default&callback=got', FROM_OWN);
  for (const answer of [good, refused]) {
    assert.deepEqual(answer.values('content-type'), ['text/javascript; charset=utf-8']);
    assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
    assert.match(answer.values('content-disposition')[0] ?? '', /^attachment; filename=/);
    assert.deepEqual(answer.values('cross-origin-resource-policy'), ['same-origin']);
    assert.match(answer.values('cache-control')[0] ?? '', /no-store/);
    assert.deepEqual(answer.values('access-control-allow-origin'), []);
    assert.ok(answer.body.startsWith('/**/'), 'the callback is not the first that stands there');
  }
});

const STATES: readonly [what: string, state: string][] = [
  ['ends of scripts and comments', JSON.stringify('</script><!--<script>-->]]>*/')],
  ['line separators of old engines', '"\u2028\u2029"'],
  ['quotes and backslashes', JSON.stringify(`\\"'\\\\");alert(1);//`)],
  ['a member __proto__', '{"__proto__":{"admin":true},"n":1}'],
  ['what is code and no JSON', 'alert(1)'],
  ['characters beyond ASCII', '"\u00fc\ud83d\ude00\ufeff"'],
];
for (const [what, state] of STATES) {
  test(`a state with ${what} arrives as it is, and is never code`, async (t) => {
    const { load } = await scene(t, state);
    const { body } = await load('url=/public&callback=got', FROM_OWN);
    assert.match(body, /^[\x20-\x7e]*\n$/, 'printable ASCII only');
    const [{ events }] = run(body) as [{ events: [{ data: unknown; contentType?: string }] }];
    const [{ data, contentType }] = events;
    const told = contentType === undefined ? JSON.stringify(data) : data;
    assert.equal(told, contentType === undefined ? JSON.stringify(JSON.parse(state)) : state);
    assert.doesNotMatch(body.slice(body.indexOf('JSON.parse')), /[<>&]/);
  });
}
