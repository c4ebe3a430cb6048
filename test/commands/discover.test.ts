import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { discoverPolls } from '../../src/commands/discover.ts';
import { discoveryText } from '../../src/commands/discovery-text.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import { logLine, mixedTraffic } from '../discovery/mixed-traffic.ts';
import { discoverIn, headers } from '../discovery/scenes.ts';
import { startAdmin, TOKEN } from '../server/admin-scene.ts';
import { startUpstream } from '../support/upstream.ts';
import { emptyFolder } from './command.ts';
import { recordPrinted } from './printed.ts';

const REPORT: DiscoveryReport = discoverIn(
  ...['anna', 'ben', 'eva'].map((client, i) => ({
    everyMs: 5_000,
    client,
    startMs: i * 40,
    target: (_: number, at: number) => `/api/status?t=${at}&view=open`,
  })),
  {
    everyMs: 20_000,
    target: '/ping',
    request: { bytes: 0, status: 204, headers: headers({ cookies: ['SID'] }) },
  },
);

function file(t: TestContext, name: string, content: string): string {
  const path = join(emptyFolder(t), name);
  writeFileSync(path, content);
  return path;
}

test('what is found is told in aligned lines, with the config to paste', () => {
  assert.equal(
    discoveryText(REPORT),
    `looked at 80 requests of 3 clients within 6m 20s, from 2026-10-12T08:00:00Z on

GET /api/status
what     polled every 5s, by 3 clients, 60 requests, 83 % sure
answers  79 % the same as the one before
worth    0.63 requests/s now, 0.2 at the site after, 129 B/s less
sharing  public: no request had a cookie or authorization
query    t     only defeats caches
         view  part of the address: "open"
pages    /page
config   below

GET /ping
what     heartbeat: it only says that somebody is there every 20s, by 1 client, 20 requests, 83 % sure
answers  79 % the same as the one before
worth    0.053 requests/s
sharing  unknown: requests carry credentials; there was one client only
pages    /page
config   none: it tells the site that somebody is still there: the site has to get it

For the config; nothing is switched on by this:

"live": {
  // GET, 3 clients, every 5s, 79 % of answers unchanged, from "/page"
  // 0.63 requests a second at the site would be 0.2.
  "/api/status": {
    "every": "5s",
    // Another value each time: it only defeats caches.
    "ignoreQuery": ["t"],
    // No request had a cookie or authorization. One poll for everybody.
    "vary": []
  }
}`,
  );
});

test('nothing of a URL steers the terminal', () => {
  const text = discoveryText(
    discoverIn({
      everyMs: 5_000,
      target: '/a\u001b[31m?\u0007=1\u202e',
      request: { page: '/p\u001b' },
    }),
  );
  assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
});

test('discover reads files, says which lines it could not read, and exits with 0', async (t) => {
  const lines = mixedTraffic(1)
    .slice(0, 20_000)
    .map((happening) => logLine(happening));
  const [first, second] = [lines.slice(0, 9_000), lines.slice(9_000)].map((some, i) =>
    file(t, `access.log.${i}`, `${some.join('\n')}\nnonsense\n`),
  );
  const { out, err } = recordPrinted(t);
  const from = { kind: 'files', files: [first ?? '', second ?? ''] } as const;
  assert.equal(await discoverPolls({ from, json: false }), 0);
  assert.match(
    out[0] ?? '',
    /^looked at 20000 requests of \d+ clients within .*; 2 lines could not be read$/,
  );
  assert.ok(out.includes('GET /api/status'));
  assert.deepEqual(err, []);
});

test('nothing found is no failure: it is said why', async (t) => {
  const lines = mixedTraffic(1)
    .slice(0, 300)
    .map((happening) => logLine(happening));
  const { out } = recordPrinted(t);
  const from = { kind: 'files', files: [file(t, 'access.log', lines.join('\n'))] } as const;
  assert.equal(await discoverPolls({ from, json: false }), 0);
  assert.match(out.join('\n'), /^nothing is polled: it was recorded for \d+ s only/m);
});

for (const [rule, content, message] of [
  [
    'neither a recording nor a log',
    '<html>\n',
    /access\.log: neither a HAR nor an access log that is known: none of 1 lines/,
  ],
  [
    'a recording without an end or entries',
    '{"log": {',
    /access\.log: read up to a damage: it ends in the middle/,
  ],
] as const) {
  test(`${rule} is a mistake of usage: 64`, async (t) => {
    const { out, err } = recordPrinted(t);
    const from = { kind: 'files', files: [file(t, 'access.log', content)] } as const;
    assert.equal(await discoverPolls({ from, json: false }), 64);
    assert.match(err.join('\n'), message);
    assert.deepEqual(out, []);
  });
}

test('a file that is not there, and a folder, are mistakes of usage: 64', async (t) => {
  const { err } = recordPrinted(t);
  const missing = { kind: 'files', files: ['/nowhere/access.log'] } as const;
  assert.equal(await discoverPolls({ from: missing, json: false }), 64);
  const folder = { kind: 'files', files: [emptyFolder(t)] } as const;
  assert.equal(await discoverPolls({ from: folder, json: false }), 64);
  assert.deepEqual(
    err.map((line) => line.split(': ').at(-1)),
    ['no such file', 'it is a folder'],
  );
});

test('the running proxy is asked at its admin listener, with the token', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN, handlers: { discover: async () => REPORT } });
  const { out } = recordPrinted(t);
  const from = { kind: 'admin', address: `127.0.0.1:${admin.port}`, token: TOKEN } as const;
  assert.equal(await discoverPolls({ from, json: true }), 0);
  assert.deepEqual(JSON.parse(out.join('\n')), JSON.parse(JSON.stringify(REPORT)));
});

test('a proxy that refuses, is not there, or is another one: 69', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  const other = await startUpstream(t, (_req, res) => res.end('{"hello": 1}'));
  const { err } = recordPrinted(t);
  const ask = (address: string, token?: string) =>
    discoverPolls({ from: { kind: 'admin', address, token }, json: false });
  assert.equal(await ask(`127.0.0.1:${admin.port}`), 69);
  assert.equal(await ask(`127.0.0.1:${other.port}`), 69);
  await admin.close();
  assert.equal(await ask(`127.0.0.1:${admin.port}`, TOKEN), 69);
  assert.match(err[0] ?? '', /UNAUTHORIZED/);
  assert.match(err[1] ?? '', /speaks another language/);
  assert.match(err[2] ?? '', /nothing answers at/);
});

test('an address that cannot be one of an admin listener is a mistake of usage: 64', async (t) => {
  const { err } = recordPrinted(t);
  const from = { kind: 'admin', address: '10.1.2.3:9090', token: undefined } as const;
  assert.equal(await discoverPolls({ from, json: false }), 64);
  assert.match(err.join('\n'), /needs a token/);
});

test('a config without an admin listener cannot say where the proxy is: 69; a bad one: 78', async (t) => {
  const { err } = recordPrinted(t);
  const config = file(t, 'proxy.config.json', '{"site": "http://127.0.0.1:1"}');
  assert.equal(await discoverPolls({ from: { kind: 'config', file: config }, json: false }), 69);
  assert.match(err.join('\n'), /the config has no "admin"/);
  const bad = file(t, 'proxy.config.json', '{');
  assert.equal(await discoverPolls({ from: { kind: 'config', file: bad }, json: false }), 78);
});
