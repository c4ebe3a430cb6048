import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { ExplainOptions } from '../../src/commands/explain.ts';
import { explain } from '../../src/commands/explain.ts';
import { explanationText } from '../../src/commands/explanation-text.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { explainConfig } from '../live/explain-asked.ts';
import { socketPath, startAdmin, TOKEN } from '../server/admin-scene.ts';
import { unusedPort } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { emptyFolder } from './command.ts';
import { recordPrinted } from './printed.ts';

const RUNNING: Explanation = {
  url: '/api/status',
  route: 'live',
  pattern: '/api/status',
  why: 'matches "/api/status"',
  key: 'q1Zx0aB3kLm9',
  channelsOfEndpoint: 2,
};
/** What the config below says of the same request. */
const STATIC = /^\/api\/status\nroute +live: matches "\/api\/status"\nendpoint +every +2s\n/;

function configFile(t: TestContext, config: object): string {
  const file = join(emptyFolder(t), 'proxy.config.json');
  const live = { '/api/status': { every: '2s', vary: [] } };
  writeFileSync(file, JSON.stringify({ site: 'http://127.0.0.1:3000', live, ...config }));
  return file;
}

/** Run the command with this config. */
async function run(t: TestContext, config: object, options: Partial<ExplainOptions> = {}) {
  const printed = recordPrinted(t);
  const code = await explain(
    {
      source: { kind: 'file', file: configFile(t, config) },
      url: '/api/status',
      method: 'GET',
      headers: [],
      body: undefined,
      json: false,
      ...options,
    },
    explainConfig,
  );
  return { code, out: printed.out.join('\n'), err: printed.err.join('\n') };
}

const startRunning = (t: TestContext, options: { token?: string; path?: string } = {}) =>
  startAdmin(t, { handlers: { explain: () => RUNNING }, ...options });

test('it prints what the running proxy says', async (t) => {
  const { port } = await startRunning(t);
  const { code, out, err } = await run(t, { admin: `127.0.0.1:${port}` });
  assert.equal(out, explanationText(RUNNING));
  assert.deepEqual([code, err], [0, '']);
});

test('it prints the same as JSON', async (t) => {
  const { port } = await startRunning(t);
  const { code, out } = await run(t, { admin: `127.0.0.1:${port}` }, { json: true });
  assert.deepEqual([code, JSON.parse(out)], [0, RUNNING]);
});

test('it asks with the method, the headers in order, and the body', async (t) => {
  const admin = await startRunning(t);
  const headers = [
    ['Cookie', 'SESSION=1'],
    ['X-Name', 'Grüße €'],
    ['Cookie', 'b=2'],
  ] as const;
  const url = 'https://shop.example/api/status?x=1';
  const asked = { url, method: 'POST', headers, body: '{"ü":1}' };
  assert.equal((await run(t, { admin: `127.0.0.1:${admin.port}` }, asked)).code, 0);
  const sent = Buffer.from('Grüße €').toString('latin1');
  assert.deepEqual(admin.questions, [
    {
      target: url,
      method: 'POST',
      headers: ['Cookie', 'SESSION=1', 'X-Name', sent, 'Cookie', 'b=2'],
      body: '{"ü":1}',
    },
  ]);
});

test('it shows the token of the config', async (t) => {
  const { port } = await startRunning(t, { token: TOKEN });
  const address = `127.0.0.1:${port}`;
  assert.equal((await run(t, { admin: { address, token: TOKEN } })).code, 0);
});

test('it asks by a unix socket', async (t) => {
  const path = socketPath(t);
  await startRunning(t, { path });
  assert.equal((await run(t, { admin: `unix:${path}` })).code, 0);
});

test('a listener on every address is asked on this machine, by whatever name it has', async (t) => {
  const { port } = await startRunning(t, { token: TOKEN });
  for (const address of [`:${port}`, `0.0.0.0:${port}`, `localhost:${port}`]) {
    assert.equal((await run(t, { admin: { address, token: TOKEN } })).code, 0, address);
  }
});

test('without "admin" it says so, and prints what the config alone says', async (t) => {
  const { code, out, err } = await run(t, {});
  assert.equal(
    err,
    'comet-proxy: the config has no "admin", so the running proxy cannot be asked\nThis is what the config alone says.',
  );
  assert.match(out, STATIC);
  assert.equal(code, 69);
});

test('when nothing runs there it says so, and prints what the config alone says', async (t) => {
  const port = await unusedPort();
  const { code, out, err } = await run(t, { admin: `127.0.0.1:${port}` });
  assert.match(err, new RegExp(`nothing answers at 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
  assert.match(out, STATIC);
  assert.equal(code, 69);
  const unix = await run(t, { admin: `unix:${socketPath(t)}` });
  assert.match(unix.err, /nothing answers at unix:.*ENOENT/);
  assert.equal(unix.code, 69);
});

test('the config alone says why a request is not live, too', async (t) => {
  const { out } = await run(t, {}, { method: 'POST' });
  assert.match(out, /route +site: matches "\/api\/status", but its method is POST/);
  const json = await run(t, {}, { url: '/API/status', json: true });
  assert.match((JSON.parse(json.out) as Explanation).why, /in lower case it would match/);
});

test('a token that the running proxy does not know is told, and not repeated', async (t) => {
  const { port } = await startRunning(t, { token: TOKEN });
  const token = 'another-token-than-that';
  const admin = { address: `127.0.0.1:${port}`, token };
  const { code, out, err } = await run(t, { admin });
  assert.match(err, /^comet-proxy: UNAUTHORIZED: send the token of "admin"/);
  assert.match(out, STATIC);
  assert.equal(code, 69);
  assert.doesNotMatch(err + out, new RegExp(token));
});

const STRANGERS: readonly [rule: string, status: number, body: string, told: RegExp][] = [
  ['a page', 200, '<html>hello</html>', /is no admin listener of ours/],
  ['nothing', 204, '', /is no admin listener of ours/],
  ['JSON of another kind', 200, '{"status":"ok"}', /speaks another language/],
  ['null', 200, 'null', /speaks another language/],
  ['an error of another kind', 500, '{"error":"x"}', /500: no reason given/],
  ['an error that is null', 404, 'null', /404: no reason given/],
  [
    'an error with escapes',
    400,
    '{"code":"\\u001b[2J","message":"\\r\\n"}',
    /: \ufffd\[2J: \ufffd\ufffd\n/,
  ],
];
for (const [rule, status, body, told] of STRANGERS) {
  test(`somebody else at the address, who answers ${rule}, is told from us`, async (t) => {
    const stranger = await startUpstream(t, (_req, res) => res.writeHead(status).end(body));
    const { code, out, err } = await run(t, { admin: `127.0.0.1:${stranger.port}` });
    assert.match(err, told);
    assert.match(out, STATIC);
    assert.equal(code, 69);
  });
}

test('an answer without end is given up', async (t) => {
  const stranger = await startUpstream(t, (_req, res) => {
    const more = () => {
      while (!res.destroyed && res.write('x'.repeat(65_536)));
    };
    res.on('drain', more);
    more();
  });
  const { code, err } = await run(t, { admin: `127.0.0.1:${stranger.port}` });
  assert.match(err, /the answer is too long/);
  assert.equal(code, 69);
});

test('what the running proxy prints cannot steer the terminal', async (t) => {
  const evil = { ...RUNNING, why: 'x\u001b[2J\ny' };
  const { port } = await startAdmin(t, { handlers: { explain: () => evil } });
  const { out } = await run(t, { admin: `127.0.0.1:${port}` });
  assert.ok(!out.includes('\u001b'));
});

for (const url of ['/a#b', '/a b', '//evil.example/x', 'ftp://shop.example/']) {
  test(`"${url}" is a mistake of usage: 64, and nobody is asked`, async (t) => {
    const admin = await startRunning(t);
    const { code, out, err } = await run(t, { admin: `127.0.0.1:${admin.port}` }, { url });
    assert.match(err, /^comet-proxy: not a URL of this site: /);
    assert.deepEqual([code, out, admin.questions], [64, '', []]);
  });
}

test('a bad config is told, and 78', async (t) => {
  const { code, out, err } = await run(t, { admin: '0.0.0.0:9090' });
  assert.match(err, /proxy\.config\.json:1:\d+ "admin" can be reached from other machines/);
  assert.deepEqual([code, out], [78, '']);
});

test('a refusal of the running proxy is told with its code', async (t) => {
  const handlers = {
    explain() {
      throw new ProxyError('BAD_URL');
    },
  };
  const { port } = await startAdmin(t, { handlers });
  const { code, err } = await run(t, { admin: `127.0.0.1:${port}` });
  assert.match(err, /^comet-proxy: BAD_URL: each "url" must be a path on this site/);
  assert.equal(code, 69);
});
