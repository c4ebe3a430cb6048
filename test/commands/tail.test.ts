import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import type { SiteState } from '../flow/states-site.ts';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { unusedPort } from '../support/raw-upstream.ts';
import type { Outcome } from './command.ts';
import { runCommand, startCommand } from './command.ts';

/** A line of JSON that was printed. */
interface Printed {
  readonly url?: string;
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

async function scene(t: TestContext, endpoint: object = {}, config: object = {}) {
  const site = await startStates(t, { '/api/a': '"a1"', '/api/b': '"b1"' });
  const live = {
    '/api/:name': { every: '50ms', vary: [], transports: TRANSPORT_NAMES, ...endpoint },
  };
  const proxy = await startTestProxy(t, { site: site.url, live, ...config });
  const tail = (...args: string[]) => startCommand(t, ['tail', ...args]);
  return { site, proxy, tail, a: `${proxy.url}/api/a`, b: `${proxy.url}/api/b` };
}

function printed({ stdout }: Outcome): Printed[] {
  const lines = stdout.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Printed);
}

for (const transport of TRANSPORT_NAMES) {
  test(`by ${transport} it prints the state, then the change, and ends after --count`, async (t) => {
    const { site, tail, a } = await scene(t);
    const command = tail(a, '--transport', transport, '--count', '2');
    await command.output(/ {2}snapshot {2}\S+ {2}"a1"\n/);
    site.set('/api/a', '{"n":2}');
    const { code, stdout, stderr } = await command.ended;
    assert.match(
      stdout,
      /^[\d:.]{12} {2}snapshot {2}\S+ {2}"a1"\n[\d:.]{12} {2}snapshot {2}\S+ {2}\{"n":2\}\n$/,
    );
    assert.deepEqual([code, stderr], [0, '']);
  });

  test(`by ${transport} --json prints the same envelopes, and --since what was missed`, async (t) => {
    const { site, tail, a } = await scene(t);
    const args = [a, '-t', transport, '--json'];
    const witness = tail(...args, '-n', '3');
    await witness.output(/"a1"/);
    site.set('/api/a', '"a2"');
    await witness.output(/"a2"/);
    const late = { headers: { 'content-type': 'text/plain' }, body: 'Grüße\r\n</script>' };
    site.set('/api/a', late);
    const seen = printed(await witness.ended);
    assert.deepEqual(
      seen.map(({ event, data }) => [event, data]),
      [
        ['snapshot', 'a1'],
        ['snapshot', 'a2'],
        ['snapshot', late.body],
      ],
    );
    const since = seen[0]?.id ?? '';
    const missed = printed(await tail(...args, '-n', '2', '--since', since).ended);
    assert.deepEqual(missed, seen.slice(1));
  });
}

/** Run one command for each transport, all at once: most of their time is that of starting. */
function byEach(run: (transport: string) => Promise<void>): Promise<unknown> {
  return Promise.all(TRANSPORT_NAMES.map(run));
}

test('--header gives the credentials of a private endpoint', async (t) => {
  const { site, tail, a } = await scene(t, { vary: ['cookie', 'x-tenant'] });
  site.set('/api/a', ({ headers }) => {
    const isKnown = headers.cookie === 'SESSION=1' && headers['x-tenant'] === 'blue';
    return isKnown ? { body: '"secret"' } : { status: 401 };
  });
  await byEach(async (transport) => {
    const args = [a, '-t', transport, '-n', '1', '--json', '-H', 'X-Tenant:blue'];
    const known = await tail(...args, '--header', 'Cookie: SESSION=1').ended;
    assert.deepEqual([known.code, printed(known)[0]?.data], [0, 'secret'], transport);
  });
  const unknown = await tail(a, '-H', 'X-Tenant: blue', '-H', 'Cookie: SESSION=2', '--json').ended;
  assert.equal(unknown.code, 0);
  assert.deepEqual(
    printed(unknown).map(({ event, data }) => [event, data]),
    [['unauthorized', { status: 401 }]],
  );
});

test('the last word is printed, and ends it with 0', async (t) => {
  const { site, tail, a } = await scene(t);
  const commands = TRANSPORT_NAMES.map((transport) => tail(a, '-t', transport));
  await Promise.all(commands.map((command) => command.output(/"a1"/)));
  site.set('/api/a', { status: 410 });
  for (const { ended } of commands) {
    const { code, stdout, stderr } = await ended;
    assert.match(stdout, / gone {6}- {2}\{"status":410\}\n$/);
    assert.deepEqual([code, stderr], [0, '']);
  }
});

test('a refusal is told by its code, and ends with 69', async (t) => {
  const { proxy, tail } = await scene(t);
  await byEach(async (transport) => {
    const { code, stdout, stderr } = await tail(`${proxy.url}/elsewhere`, '-t', transport).ended;
    assert.match(stderr, /^comet-proxy: NOT_LIVE: this URL is not a live endpoint\n$/, transport);
    assert.deepEqual([code, stdout], [69, ''], transport);
  });
});

test('several URLs come on one stream, and each line names its own', async (t) => {
  const { tail, a, b } = await scene(t);
  await byEach(async (transport) => {
    if (transport === 'multipart') return; // it carries one only
    const { code, stdout } = await tail(a, b, '-t', transport, '-n', '2').ended;
    const lines = stdout.split('\n').filter(Boolean);
    const told = lines.map((line) => line.split('  ').slice(-2).join(' ')).sort();
    assert.deepEqual(told, ['/api/a "a1"', '/api/b "b1"'], transport);
    assert.equal(code, 0);
  });
});

test('with several URLs it ends when all have said their last word', async (t) => {
  const { site, tail, a, b } = await scene(t);
  const command = tail(a, b, '-t', 'stream');
  await command.output(/"b1"/);
  site.set('/api/a', { status: 410 });
  await command.output(/gone/);
  site.set('/api/b', '"b2"');
  await command.output(/"b2"/);
  site.set('/api/b', { status: 410 });
  assert.equal((await command.ended).code, 0);
});

test('URLs with cache-busters end by their last words as well', async (t) => {
  const { site, tail, a, b } = await scene(t);
  // Ends also when it goes on to ask and is told again: two states and three last words.
  const command = tail(`${a}?_=1`, `${b}?x=1&_=2`, '-t', 'stream', '-n', '5');
  await command.output(/"b1"/);
  site.set('/api/a', { status: 410 });
  site.set('/api/b', { status: 410 });
  const { code, stdout } = await command.ended;
  assert.equal(code, 0);
  assert.equal(stdout.match(/ gone /g)?.length, 2);
});

test('URLs of one path are not taken for each other', async (t) => {
  const { site, tail, a } = await scene(t);
  const answers = new Map<string | undefined, SiteState>();
  const set = (url: string, body: string, status = 200) => answers.set(url, { status, body });
  set('/api/a?page=2', '"second"');
  set('/api/a', '"first"');
  site.set('/api/a', ({ url }) => answers.get(url) ?? { status: 404 });
  const command = tail(`${a}?page=2`, a, '-t', 'stream', '-n', '6');
  await Promise.all([command.output(/"first"/), command.output(/"second"/)]);
  for (const body of ['"first again"', '"first at last"']) {
    set('/api/a', body);
    await command.output(new RegExp(body));
  }
  set('/api/a', '', 410);
  await command.output(/ gone /);
  set('/api/a?page=2', '"second again"');
  await command.output(/"second again"/);
  assert.equal((await command.ended).code, 0);
});

test('bytes that are no text are told by their number', async (t) => {
  const { site, tail, a } = await scene(t);
  site.set('/api/a', {
    headers: { 'content-type': 'image/png' },
    body: Buffer.from('89504e47ff', 'hex'),
  });
  await byEach(async (transport) => {
    const { stdout } = await tail(a, '-t', transport, '-n', '1').ended;
    assert.match(stdout, / {2}<5 bytes>\n$/, transport);
  });
});

test('a proxy that cannot be reached is told, and ends with 69 where nobody waits for it', async (t) => {
  const url = `http://127.0.0.1:${await unusedPort()}/api/a`;
  await byEach(async (transport) => {
    const args = ['tail', url, '-t', transport, '--no-reconnect'];
    const { code, stdout, stderr } = await runCommand(t, args);
    assert.match(stderr, /^comet-proxy: .*ECONNREFUSED.*\n$/, transport);
    assert.deepEqual([code, stdout], [69, '']);
  });
});

const URL_A = 'http://127.0.0.1:8080/a';
const MISTAKES: readonly [rule: string, args: readonly string[], message: RegExp][] = [
  ['no URL', [], /Not enough non-option arguments/],
  ['a path alone', ['/api/a'], /not an http URL: \/api\/a/],
  ['a URL of another kind', ['ws://127.0.0.1:8080/a'], /not an http URL/],
  ['a header without a colon', [URL_A, '-H', 'Cookie'], /not a header: it needs a name/],
  [
    'a header with a wrong name, which is not repeated',
    [URL_A, '-H', 'a b: c'],
    /not a header: [^"]*$/m,
  ],
  ['URLs of two origins', [URL_A, 'http://127.0.0.1:8081/a'], /one origin/],
  ['two URLs by multipart', [URL_A, `${URL_A}b`, '-t', 'multipart'], /multipart carries one URL/],
  ['an unknown transport', [URL_A, '-t', 'flash'], /transport/],
  ['a count of nothing', [URL_A, '-n', '0'], /--count must be at least 1/],
  ['a count that is none', [URL_A, '-n', 'many'], /--count must be at least 1/],
];
for (const [rule, args, message] of MISTAKES) {
  test(`${rule} is a mistake of usage: 64`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, ['tail', ...args]);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [64, '']);
  });
}
