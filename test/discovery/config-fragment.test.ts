import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { roundInterval } from '../../src/discovery/config-fragment.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { Timer } from './scenes.ts';
import { BEGIN_MS, discoverIn, headers } from './scenes.ts';

/** The config with what was found pasted into it. */
function pasted({ config }: DiscoveryReport): Config {
  assert.ok(config !== undefined, 'there is nothing for the config');
  return parseConfig(`{\n  "site": "http://a.example",\n${config}\n}`, 'pasted', { variables: {} });
}

test('what is found of every kind can be pasted as it is', () => {
  const report = discoverIn(
    { everyMs: 2_000, target: (_, at) => `/status?_=${at}&t=${at}` },
    {
      everyMs: 7_000,
      target: '/camera.png',
      request: { kind: 'image', headers: headers({ cacheControl: 'no-store' }) },
    },
    {
      everyMs: 60_000,
      target: '/board',
      request: { kind: 'page', headers: headers({ cookies: ['SID'] }) },
    },
    { everyMs: 3_000, target: '/rpc', body: (i) => ({ jsonrpc: '2.0', id: i, method: 'list' }) },
    { everyMs: 9_000, target: '/rpc', body: (i) => ({ jsonrpc: '2.0', id: i, method: 'totals' }) },
    { everyMs: 30_400, target: '/rpc' },
    { everyMs: 5_000, client: 'ben', target: '/orders/17' },
    { everyMs: 5_000, client: 'eva', target: '/orders/18' },
  );
  const { live } = pasted(report);
  assert.deepEqual(Object.keys(live).sort(), [
    '/board',
    '/camera.png',
    '/orders/:id',
    '/rpc',
    '/status',
  ]);
  assert.deepEqual(live['/status']?.[0]?.ignoreQuery, ['_', 't']);
  assert.equal(live['/camera.png']?.[0]?.cacheControl, 'ignore');
  assert.deepEqual(live['/board']?.[0]?.vary, [{ kind: 'cookie', name: 'SID' }]);
  const rpc = live['/rpc']?.map(({ method, every, rpc }) => [method, every.minMs, rpc]);
  assert.deepEqual(rpc, [
    ['POST', 3_000, 'json-rpc'],
    ['POST', 9_000, 'json-rpc'],
    ['GET', 30_400, undefined],
  ]);
});

const SECRET = ['$', '{HOME}'].join('');

test('whatever stands in a URL, a body or a header cannot break out of its line', () => {
  const odd = [
    '*/ "',
    '\u2028',
    '\n"site": "http://evil.example", ',
    SECRET,
    '\\',
    '\u202e',
    '`',
    '//',
  ];
  for (const text of odd) {
    const report = discoverIn(
      {
        everyMs: 2_000,
        target: `/a?${encodeURIComponent(text)}=1&x=${encodeURIComponent(text)}&_t${text}`,
        request: { page: `/p${text}` },
      },
      { everyMs: 6_000, target: (_, at) => `/b?${encodeURIComponent(text)}=${at}` },
      { everyMs: 3_000, target: '/rpc', body: (i) => ({ method: text, [text]: i, id: i }) },
      { everyMs: 4_000, target: '/c', request: { headers: headers({ cookies: [`sid${text}`] }) } },
      { everyMs: 5_000, target: `/p${text}/q` },
    );
    const { config = '' } = report;
    const { site, live } = parseConfig(`{"site": "http://a.example", ${config}}`, 'x', {
      variables: { HOME: 'leaked' },
    });
    assert.equal(site.url.hostname, 'a.example');
    assert.ok(
      Object.keys(live).every((path) => ['/a', '/b', '/rpc', '/c', `/p${text}/q`].includes(path)),
    );
    // A name with a star would mean others too.
    const named = text.includes('*') ? undefined : [text];
    assert.deepEqual(live['/b']?.[0]?.ignoreQuery, named);
    assert.doesNotMatch(JSON.stringify(live), /leaked/);
    assert.match(config, /^[\x20-\x7e\n\u2026]*$/);
  }
});

test('whatever is found, what is suggested is a config', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('method', '_', 'since', 'a*', '?', '/', '~', '', '\ud800', 'id', 'rows.0'),
  );
  const value = fc.oneof(
    word,
    fc.integer(),
    fc.double(),
    fc.constant(null),
    fc.boolean(),
    fc.bigInt().map(String),
  );
  const query = fc.array(fc.tuple(word, fc.oneof(word, fc.constant('NOW'))), { maxLength: 3 });
  const body = fc.dictionary(
    word,
    fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.constant('NOW')),
    { maxKeys: 3 },
  );
  const segment = fc.oneof(
    { arbitrary: fc.constantFrom('api', 'a1', 'x-y'), weight: 12 },
    { arbitrary: word, weight: 1 },
  );
  const path = fc.array(segment, { minLength: 1, maxLength: 2 });
  let suggested = 0;
  fc.assert(
    fc.property(
      fc.array(fc.record({ path, query, body: fc.option(body, { nil: undefined }) }), {
        maxLength: 3,
      }),
      (all) => {
        const timers = all.map(({ path, query, body }): Timer => {
          const now = (at: number, text: string) => (text === 'NOW' ? String(at) : text);
          return {
            everyMs: 3_000,
            times: 10,
            target: (_, at) =>
              `/${path.join('/')}?${query.map(([name, text]) => `${name}=${now(at, text)}`).join('&')}`,
            ...(body
              ? {
                  body: (i: number) =>
                    JSON.parse(JSON.stringify(body).replaceAll('NOW', String(BEGIN_MS + i))),
                }
              : {}),
          };
        });
        const report = discoverIn(...timers);
        if (report.config === undefined) return;
        suggested += 1;
        pasted(report);
      },
    ),
    { numRuns: 800, seed: 7 },
  );
  assert.ok(suggested > 80, `${suggested}`);
});

test('paths that are patterns or unsafe are told and not suggested', () => {
  for (const path of [
    '/a/*',
    '/a/:id',
    '/a/%2e%2e/b',
    '/a;x=1',
    `/${SECRET}`,
    '/ä',
    '/_comet/sse',
  ]) {
    const report = discoverIn({ everyMs: 2_000, target: path });
    assert.equal(report.config, undefined, path);
    assert.equal(report.found.length, 1, path);
    assert.ok(report.found[0]?.obstacle, path);
  }
});

test('what the running proxy polls already is told, and not suggested again', () => {
  const report = discoverIn({ everyMs: 2_000, target: '/a', request: { isLive: true } });
  assert.deepEqual([report.found[0]?.isLive, report.config], [true, undefined]);
});

test('intervals become what a person would have written, where that is what was seen', () => {
  const rounded: readonly [number, number][] = [
    [4_998, 5_000],
    [5_030, 5_000],
    [2_204, 2_200],
    [30_398, 30_400],
    [29_950, 30_000],
    [59_900, 60_000],
    [301_000, 300_000],
    [499, 500],
    [333, 330],
  ];
  for (const [ms, wanted] of rounded) assert.equal(roundInterval(ms), wanted, `${ms}`);
});
