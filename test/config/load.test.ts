import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkConfig, loadConfig } from '../../src/config/load.ts';
import { parse, problemsIn, reported } from './parse-error.ts';

const DEFAULT_ENDPOINT = {
  method: 'GET',
  match: { query: [], body: [] },
  ignoreBody: [],
  request: { query: [], body: [] },
  vary: [{ kind: 'cookies' }, { kind: 'header', name: 'authorization' }],
  polls: 'absorb',
  share: 1,
  shadow: false,
  hold: 25_000,
  patch: 'none',
  transports: ['sse', 'ws', 'stream', 'multipart', 'poll', 'iframe'],
  ignoreQuery: ['_'],
  headers: {},
  timeout: 10_000,
  maxBody: 4 * 1_024 ** 2,
  linger: 5_000,
  history: 100,
  authorizedBy: [],
  probeEvery: 60_000,
  setCookie: 'end',
  cacheControl: 'obey',
  select: [],
  ignore: [],
  ignoreFor: 60_000,
  compare: 'value',
};

test('a site is enough: every other key has a default', () => {
  assert.deepEqual(parse('{"site": "http://127.0.0.1:3000"}'), {
    listen: [
      {
        address: { kind: 'tcp', host: '127.0.0.1', port: 8080 },
        http2: false,
        proxyProtocol: false,
      },
    ],
    site: {
      url: new URL('http://127.0.0.1:3000'),
      preserveHost: true,
      connectTimeout: 5_000,
      responseTimeout: 60_000,
      bodyTimeout: 300_000,
      lenient: false,
      tls: { verify: true },
    },
    comet: {},
    live: {},
    inject: [],
    logoutOn: [],
    origins: [],
    trustedProxies: [],
    via: true,
    workers: 1,
    webSocketCompression: false,
    limits: {
      connections: 50_000,
      connectionsPerAddress: 1_024,
      streams: 40_000,
      streamsPerAddress: 1_024,
      maxStreamAge: 3_600_000,
      channels: 10_000,
      channelsPerAddress: 256,
      channelsPerEndpoint: 5_000,
      queriesPerEndpoint: 1_000,
      subscribersPerChannel: 40_000,
      polls: 64,
      pollsPerSecond: 200,
      urlsPerStream: 32,
      messageBytes: 16 * 1_024,
      headerBytes: 16 * 1_024,
      urlBytes: 8 * 1_024,
      bodyTimeout: 60_000,
      sendTimeout: 60_000,
      logBytes: 1_024 ** 2,
      bufferedBytes: 256 * 1_024 ** 2,
      drain: 30_000,
    },
    log: { level: 'info', access: false },
  });
});

test('an interval stands for an endpoint with nothing but that interval', () => {
  const { live } = parse('{"site": "http://h", "live": {"/a": "2s", "/b": {"every": "2s"}}}');
  const every = { minMs: 2_000, maxMs: 2_000 };
  assert.deepEqual(live['/a'], [{ every, ...DEFAULT_ENDPOINT }]);
  assert.deepEqual(live['/a'], live['/b']);
});

test('a URL stands for a site with nothing but that URL', () => {
  assert.deepEqual(
    parse('{"site": "https://h:8443"}'),
    parse('{"site": {"url": "https://h:8443"}}'),
  );
});

test('keys that are given replace the defaults, one by one', () => {
  const { live, limits } = parse(`{
    "site": "http://h",
    "live": { "/a": { "every": "1s..30s", "vary": [], "polls": "pass", "linger": "0s" } },
    "limits": { "drain": "1m" },
  }`);
  const every = { minMs: 1_000, maxMs: 30_000 };
  assert.deepEqual(live['/a'], [
    { ...DEFAULT_ENDPOINT, every, vary: [], polls: 'pass', linger: 0 },
  ]);
  assert.equal(limits.drain, 60_000);
  assert.equal(limits.streams, 40_000);
});

test('comments and trailing commas are allowed', () => {
  const config = parse(`// the whole site
  {
    /* over there */ "site": "http://h", // not here
    "live": { "/a": "2s", },
    "origins": ["https://partner.example",],
  }
  // the end`);
  assert.deepEqual(Object.keys(config.live), ['/a']);
});

const SYNTAX: readonly [text: string, problems: string[]][] = [
  ['{"site":"http://h" "live":{}}', ['c.json:1:20 not JSON: comma expected']],
  ['{\n  "sitee": "http://h"\n  "live": {}\n}', ['c.json:3:3 not JSON: comma expected']],
  ['// nothing\n', ['c.json:2:1 not JSON: value expected']],
  ['{"site":"http://h"} 1', ['c.json:1:21 not JSON: end of file expected']],
];
for (const [text, problems] of SYNTAX) {
  test(`broken syntax is all that is reported: ${problems[0]}`, () => {
    assert.deepEqual(problemsIn(text), problems);
  });
}

test('broken syntax hides the problems in values, which would be guesses', () => {
  const problems = problemsIn(`{"sight": "\${NOT_SET}", "live": {"a": 2}, "live": `);
  assert.ok(problems.length > 0);
  assert.ok(problems.every((line) => /^c\.json:1:\d+ not JSON: /.test(line)));
});

test('an empty file is reported, not taken for an empty config', () => {
  assert.match(problemsIn('').join('\n'), /^c\.json:.*not JSON: value expected$/);
});

test('a file is read, and positions name it as it was given', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'proxy.config.json');
  writeFileSync(file, `{\n  "site": "\${SITE}",\n}\n`);
  const config = loadConfig(file, { variables: { SITE: 'http://legacy:81' } });
  assert.equal(config.site.url.host, 'legacy:81');

  writeFileSync(file, '{\n  "site": "http://h",\n  "lisen": 1\n}\n');
  assert.deepEqual(
    reported(() => loadConfig(file, { variables: {} })),
    [`${file}:3:3 unknown key "lisen": did you mean "listen"?`],
  );
});

test('a file that is not there is a problem of the config', () => {
  assert.deepEqual(
    reported(() => loadConfig('no/such.json', { variables: {} })),
    ['no/such.json: cannot read the config: no such file'],
  );
});

test('a config from flags has the path in its messages, where a file has the position', () => {
  const value = { site: 'http://h', live: { '/a': { every: '2s', polls: 'pas' } } };
  assert.deepEqual(
    reported(() => checkConfig(value, 'command line')),
    [
      'command line: live /a "polls" must be one of "pass", "absorb", "hold": did you mean "pass"?: current value is "pas"',
    ],
  );
});
