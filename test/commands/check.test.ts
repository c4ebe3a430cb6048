import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { emptyFolder, runCommand, startCommand } from './command.ts';

/** A folder with a `proxy.config.json` of this text. */
function folderWith(t: TestContext, text: string): string {
  const folder = emptyFolder(t);
  writeFileSync(join(folder, 'proxy.config.json'), text);
  return folder;
}

const GOOD = `{
  "site": "http://127.0.0.1:3000",
  "live": {
    "/api/status": { "every": "2s", "vary": [] }, // for everybody
    "/api/orders/:id": { "every": "1s..30s", "polls": "pass" },
  },
}`;
const BAD = `{
  "site": "http://127.0.0.1:3000",
  "listne": ":8080",
  "live": { "/a": { "every": 2 } },
}`;

test('check sums up the config of the current folder', async (t) => {
  const { code, stdout, stderr } = await runCommand(t, ['check'], { cwd: folderWith(t, GOOD) });
  assert.equal(
    stdout,
    [
      'proxy.config.json: ok',
      '  site http://127.0.0.1:3000',
      '  live /api/status every 2s, public, plain requests: absorb',
      '  live /api/orders/:id every 1s..30s, private, plain requests: pass',
      '',
    ].join('\n'),
  );
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('check reads the file that is named', async (t) => {
  const folder = folderWith(t, BAD);
  writeFileSync(join(folder, 'other.json'), GOOD);
  for (const option of ['--config', '-c']) {
    const { code, stdout } = await runCommand(t, ['check', option, 'other.json'], { cwd: folder });
    assert.match(stdout, /^other\.json: ok\n/);
    assert.equal(code, 0);
  }
});

for (const command of ['check', 'run']) {
  test(`${command} prints every problem of the config and exits 78`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, [command], { cwd: folderWith(t, BAD) });
    assert.deepEqual(stderr.split('\n'), [
      'proxy.config.json:3:3 unknown key "listne": did you mean "listen"?',
      'proxy.config.json:4:30 "every" must be a string; durations and sizes carry their unit, as in "5s" or "64KiB": current value is 2',
      '',
    ]);
    assert.equal(stdout, '');
    assert.equal(code, 78);
  });
}

test('a named file that is not there is a bad config', async (t) => {
  const { code, stderr } = await runCommand(t, ['check', '--config', 'nope.json']);
  assert.equal(stderr, 'nope.json: cannot read the config: no such file\n');
  assert.equal(code, 78);
});

test('check puts in the environment', async (t) => {
  const cwd = folderWith(t, `{ "site": "http://\${TEST_SITE_HOST}" }`);
  const set = await runCommand(t, ['check'], { cwd, env: { TEST_SITE_HOST: 'legacy:81' } });
  assert.match(set.stdout, /site http:\/\/legacy:81\n/);
  assert.equal(set.code, 0);

  const unset = await runCommand(t, ['check'], { cwd });
  assert.match(
    unset.stderr,
    /^proxy\.config\.json:1:11 the environment variable TEST_SITE_HOST is/,
  );
  assert.equal(unset.code, 78);
});

const SITE = ['check', '--site', 'http://127.0.0.1:3000'];

test('flags stand for a config', async (t) => {
  const flags = ['--live', '/a=1s..30s', '--live', '/b=x=2m', '--listen', ':80'];
  const { code, stdout, stderr } = await runCommand(t, [...SITE, ...flags]);
  assert.equal(stderr, '');
  assert.match(stdout, /^command line: ok\n/);
  assert.match(stdout, /live \/a every 1s\.\.30s, private/);
  assert.match(stdout, /live \/b=x every 2m, private/);
  assert.equal(code, 0);
});

test('flags win over a file that happens to stand in the folder', async (t) => {
  const { code, stdout } = await runCommand(t, SITE, { cwd: folderWith(t, BAD) });
  assert.match(stdout, /^command line: ok\n/);
  assert.equal(code, 0);
});

const BAD_FLAGS: readonly [args: readonly string[], problem: RegExp][] = [
  [['--live', '/a'], /^--live: must be PATH=INTERVAL.*current value is "\/a"$/m],
  [['--live', '/a='], /^--live: must be PATH=INTERVAL/m],
  [['--live', '=2s'], /^--live: must be PATH=INTERVAL/m],
  [['--live', '/a=2s', '--polls', 'keep'], /^command line: .*\/a.* "polls"/m],
  [['--inject', 'app/**'], /^command line: inject must start with/m],
  [['--live', '/a=soon'], /^command line: .*\/a.* must be a duration/m],
  [['--live', 'a=2s'], /^command line: .*"a" must start with "\/"/m],
  [['--listen', 'nowhere'], /^command line: .*listen.* must be an address/m],
  [['--live', '/a=2s', '--live', '/a=3s'], /\/a.* twice/],
];
for (const [args, problem] of BAD_FLAGS) {
  test(`${args.join(' ')} is a bad config`, async (t) => {
    const { code, stderr } = await runCommand(t, [...SITE, ...args]);
    assert.match(stderr, problem);
    assert.equal(code, 78);
  });
}

test('a config named "-" is read from standard input', async (t) => {
  const command = startCommand(t, ['check', '--config', '-'], { input: GOOD });
  const { code, stdout } = await command.ended;
  assert.deepEqual([code, stdout.split('\n', 1)[0]], [0, '-: ok']);
});
