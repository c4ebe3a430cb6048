import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { combinedLine } from '../../src/server/access-log.ts';
import { redactUrl } from '../../src/shared/logger.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

const ENTRY = {
  address: '203.0.113.5',
  method: 'GET',
  url: '/a?b=c',
  version: '1.1',
  status: 200,
  bytes: 123,
  referer: 'http://a/',
  userAgent: 'Old/1.0 (x)',
};
const NOON = new Date('2026-03-01T12:04:05Z');

test('the combined format is that of Apache and nginx', () => {
  assert.equal(
    combinedLine(ENTRY, NOON),
    '203.0.113.5 - - [01/Mar/2026:12:04:05 +0000] "GET /a?b=c HTTP/1.1" 200 123 "http://a/" "Old/1.0 (x)"',
  );
});

test('what is not known is a hyphen', () => {
  const { referer: _referer, userAgent: _userAgent, ...rest } = ENTRY;
  assert.match(combinedLine(rest, NOON), / 200 123 "-" "-"$/);
});

const ESCAPED: Record<string, string> = {
  'a"b': 'a\\"b',
  'a\\b': 'a\\\\b',
  'a\r\nb': 'a\\x0d\\x0ab',
  'a\tb\x1b[31m\0': 'a\\x09b\\x1b[31m\\x00',
  'caf\xe9\x7f': 'caf\\xe9\\x7f',
};

for (const [text, escaped] of Object.entries(ESCAPED)) {
  test(`a field cannot be left: ${JSON.stringify(text)}`, () => {
    const line = combinedLine({ ...ENTRY, userAgent: text, referer: text, url: text }, NOON);
    assert.ok(line.endsWith(`"GET ${escaped} HTTP/1.1" 200 123 "${escaped}" "${escaped}"`), line);
  });
}

const REDACTED: Record<string, string> = {
  '/a': '/a',
  '/a?b=c&d=e': '/a?b=c&d=e',
  '/a?token=s3cret': '/a?token=***',
  '/a?x=1&access_token=s3cret&y=2': '/a?x=1&access_token=***&y=2',
  '/a?Password=s&client_secret=t&API_KEY=u': '/a?Password=***&client_secret=***&API_KEY=***',
  '/a?key=s&sig=t&auth=u&code=v&sid=w': '/a?key=***&sig=***&auth=***&code=***&sid=***',
  '/a?monkey=1&encode=2&design=3': '/a?monkey=1&encode=2&design=3',
  '/token=a?b=c': '/token=a?b=c',
  'http://a/?token=s#f': 'http://a/?token=***#f',
};

for (const [url, safe] of Object.entries(REDACTED)) {
  test(`no secret of a URL is logged: ${url}`, () => {
    assert.equal(redactUrl(url), safe);
  });
}

test('json: one line for each answer, with what happened', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.writeHead(418).end('teapot'));
  const proxy = await startTestProxy(t, { site: upstream.url, log: { access: 'json' } });
  const request = get('/tea?token=s3cret', 'User-Agent: Old/1.0', 'Referer: http://a/?key=s3cret');
  const answer = await ask(t, proxy.port, request);
  await until(() => proxy.lines.some(({ message }) => message === 'request'));
  const [line, ...others] = proxy.lines.filter(({ message }) => message === 'request');
  assert.deepEqual(others, []);
  const { ms, bytes, ...fields } = line?.fields ?? {};
  assert.deepEqual(fields, {
    address: '127.0.0.1',
    method: 'GET',
    url: '/tea?token=***',
    version: '1.1',
    status: 418,
    referer: 'http://a/?key=***',
    userAgent: 'Old/1.0',
  });
  assert.ok(typeof ms === 'number' && ms >= 0);
  assert.ok(typeof bytes === 'number' && bytes > answer.body.length);
});

test('json: the address is that of the client behind a trusted proxy', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end());
  const config = { trustedProxies: ['127.0.0.1'], log: { access: 'json' } };
  const proxy = await startTestProxy(t, { site: upstream.url, ...config });
  await ask(t, proxy.port, get('/', 'X-Forwarded-For: 203.0.113.5'));
  await until(() => proxy.lines.some(({ message }) => message === 'request'));
  const line = proxy.lines.find(({ message }) => message === 'request');
  assert.equal(line?.fields['address'], '203.0.113.5');
});

test('json: an answer that the client left has its line too', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.write('begin'));
  const proxy = await startTestProxy(t, { site: upstream.url, log: { access: 'json' } });
  const client = connectRaw(t, proxy.port);
  client.send(get('/endless'));
  await client.receive('begin');
  client.reset();
  await until(() => proxy.lines.some(({ fields }) => fields['url'] === '/endless'));
});

test('combined: one line on standard output for each answer', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('ok'));
  const script = `
    import { checkConfig } from './src/config/load.ts';
    import { startProxy } from './src/main.ts';
    import { silentLogger } from './src/shared/logger.ts';
    const site = ${JSON.stringify(upstream.url)};
    const config = checkConfig({ listen: '127.0.0.1:0', site, log: { access: 'combined' } }, 'test');
    const proxy = await startProxy(config, { log: silentLogger });
    console.log(proxy.urls[0]);
  `;
  const root = new URL('../..', import.meta.url);
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(() => output.includes('\n') || child.exitCode !== null);
  const port = Number(new URL(output.trim()).port);
  await ask(t, port, get('/x?sid=s3cret', 'User-Agent: "quoted"'));
  await until(() => output.split('\n').length > 2 || child.exitCode !== null);
  assert.match(
    output.split('\n')[1] ?? '',
    /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/x\?sid=\*\*\* HTTP\/1\.1" 200 \d+ "-" "\\"quoted\\""$/,
  );
});
