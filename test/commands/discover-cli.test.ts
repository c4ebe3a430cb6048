import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import { writeHar } from '../discovery/har-writer.ts';
import { logLine, mixedTraffic } from '../discovery/mixed-traffic.ts';
import { BEGIN_MS, inShort } from '../discovery/scenes.ts';
import { startUpstream } from '../support/upstream.ts';
import { emptyFolder, runCommand, startCommand } from './command.ts';

const HAR = writeHar(
  Array.from({ length: 40 }, (_, i) => {
    const atMs = BEGIN_MS + i * 2_000;
    return {
      atMs,
      url: `http://127.0.0.1:3000/api/status?_=${atMs}`,
      body: `{"n": ${i >> 2}}`,
      requestHeaders: { Referer: 'http://127.0.0.1:3000/board', Cookie: 'SID=hunter2' },
    };
  }),
);

test('discover of a recording prints a config that check accepts as it is', async (t) => {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'site.har'), HAR);
  const { code, stdout, stderr } = await runCommand(t, ['discover', 'site.har'], { cwd });
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^GET \/api\/status$/m);
  assert.doesNotMatch(stdout, /hunter2/);
  const fragment = stdout.slice(stdout.indexOf('"live": {'));
  writeFileSync(
    join(cwd, 'proxy.config.json'),
    `{\n"site": "http://127.0.0.1:3000",\n${fragment}}\n`,
  );
  const checked = await runCommand(t, ['check'], { cwd });
  assert.deepEqual([checked.code, checked.stderr], [0, '']);
  assert.match(checked.stdout, /live \/api\/status every 2s, private/);
});

test('discover reads compressed logs beside others, and standard input', async (t) => {
  const cwd = emptyFolder(t);
  const lines = mixedTraffic(2)
    .slice(0, 30_000)
    .map((happening) => logLine(happening));
  writeFileSync(join(cwd, 'old.gz'), gzipSync(lines.slice(0, 15_000).join('\n')));
  const rest = `${lines.slice(15_000).join('\n')}\n`;
  const { ended } = startCommand(t, ['discover', 'old.gz', '/dev/stdin', '--json'], {
    cwd,
    input: rest,
  });
  const { code, stdout, stderr } = await ended;
  const report = JSON.parse(stdout) as DiscoveryReport;
  assert.deepEqual([code, stderr, report.looked.requests], [0, '', 30_000]);
  assert.ok(inShort(report).includes('poll GET /api/status every 5000'));
});

test('discover without a file asks the proxy that runs with the config here, or the one at --admin', async (t) => {
  const site = await startUpstream(t, (_req, res) => res.end('x'));
  const cwd = emptyFolder(t);
  const admin = `unix:${join(cwd, 'admin.sock')}`;
  const config = { site: site.url, listen: '127.0.0.1:0', admin };
  writeFileSync(join(cwd, 'proxy.config.json'), JSON.stringify(config));
  const proxy = startCommand(t, [], { cwd });
  const [, url = ''] = await proxy.output(/^listening on (http:\S+)$/m);
  await proxy.output(/^admin listener on unix:/m);
  assert.equal((await fetch(`${url}/a`)).status, 200);
  for (const args of [['discover'], ['discover', '--admin', admin]]) {
    const { code, stdout, stderr } = await runCommand(t, args, { cwd });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^looked at 1 request of 1 client /);
    assert.match(stdout, /^nothing is polled: it was seen for 0 s only/m);
  }
});

test('the token for --admin comes from the environment', async (t) => {
  const env = { COMET_PROXY_ADMIN_TOKEN: 'short' };
  const { code, stdout, stderr } = await runCommand(t, ['discover', '--admin', '127.0.0.1:1'], {
    env,
  });
  assert.match(stderr, /at least 16 characters/);
  assert.doesNotMatch(stderr, /short/);
  assert.deepEqual([code, stdout], [64, '']);
});

const MISTAKES: readonly [rule: string, args: readonly string[], message: RegExp][] = [
  ['nothing to look at', [], /name a HAR file or an access log, or the running proxy/],
  ['a file that is not there', ['nowhere.har'], /cannot read nowhere\.har: no such file/],
  ['files and a proxy', ['a.har', '--admin', '127.0.0.1:1'], /files are read without a proxy/],
  ['files and a config', ['a.har', '-c', 'a.json'], /files are read without a proxy/],
  ['two ways to the proxy', ['--admin', '127.0.0.1:1', '-c', 'a.json'], /cannot be combined/],
  ['two proxies', ['--admin', 'a', '--admin', 'b'], /--admin can be given only once/],
  ['no address', ['--admin', 'nonsense'], /--admin/],
];
for (const [rule, args, message] of MISTAKES) {
  test(`${rule} is a mistake of usage: 64`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, ['discover', ...args]);
    assert.match(stderr, message);
    assert.deepEqual([code, stdout], [64, '']);
  });
}
