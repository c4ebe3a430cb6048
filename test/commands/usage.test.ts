import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runCommand } from './command.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };
const SITE = 'http://127.0.0.1:3000';

const MISTAKES: readonly [rule: string, args: readonly string[], message: RegExp][] = [
  ['an unknown command', ['chek'], /chek/],
  ['an unknown option', ['check', '--confg', 'x'], /Unknown argument: confg/],
  ['one word too many', ['schema', 'x'], /Unknown argument: x/],
  ['an option without its value', ['check', '--config'], /Not enough arguments following: config/],
  ['an option that is given twice', ['check', '--config', 'a', '--config', 'b'], /config/],
  ['a site that is given twice', ['check', '--site', SITE, '--site', SITE], /site/],
  ['a file and flags', ['--config', 'a', '--site', SITE], /--config cannot be combined/],
  ['an endpoint without a site', ['--live', '/a=2s'], /--live needs --site/],
  ['an address without a site', ['check', '--listen', ':80'], /--listen needs --site/],
  ['pages without a site', ['--inject', '/**'], /--inject needs --site/],

  ['no config at all', ['check'], /there is no \.\/proxy\.config\.json: .*--config.*--site/],
  ['no config at all, without a command', [], /there is no \.\/proxy\.config\.json/],
];
for (const [rule, args, message] of MISTAKES) {
  test(`${rule} is a mistake of usage: one line, where help is, and 64`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, args);
    assert.equal(code, 64, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^comet-proxy: .*\nTry: comet-proxy --help\n$/);
    assert.equal(stdout, '');
  });
}

for (const args of [['--help'], ['-h'], ['run', '--help'], ['check', '--help']]) {
  test(`${args.join(' ')} needs no config, prints help and exits 0`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, args);
    assert.match(stdout, /--config/);
    assert.equal(stderr, '');
    assert.equal(code, 0);
  });
}

test('help names the commands, shows an example and the exit codes', async (t) => {
  const { stdout } = await runCommand(t, ['--help']);
  for (const command of ['run', 'check', 'schema', 'version', 'completion']) {
    assert.match(stdout, new RegExp(`^ +comet-proxy ${command} `, 'm'));
  }
  assert.match(stdout, /Examples:\n +comet-proxy --site http:\/\//);
  assert.match(stdout, /Exit codes: .*64.*69.*78/);
});

test('version names the version of the package', async (t) => {
  const { code, stdout } = await runCommand(t, ['version']);
  assert.equal(stdout, `comet-proxy ${version} (node ${process.version})\n`);
  assert.equal(code, 0);
});

test('--version prints nothing but the version', async (t) => {
  for (const option of ['--version', '-v']) {
    const { code, stdout } = await runCommand(t, [option]);
    assert.equal(stdout, `${version}\n`);
    assert.equal(code, 0);
  }
});

test('schema prints what is published in schema/', async (t) => {
  const { code, stdout } = await runCommand(t, ['schema']);
  const file = new URL('../../schema/proxy.config.schema.json', import.meta.url);
  assert.deepEqual(JSON.parse(stdout), JSON.parse(readFileSync(file, 'utf8')));
  assert.equal(code, 0);
});

test('completion prints a script that knows the command by its name', async (t) => {
  const { code, stdout, stderr } = await runCommand(t, ['completion']);
  assert.match(stdout, /###-begin-comet-proxy-completions-###/);
  assert.match(stdout, /complete .*comet-proxy/);
  assert.equal(stderr, '');
  assert.equal(code, 0);
});

test('what the completion script asks is answered with commands', async (t) => {
  const { stdout } = await runCommand(t, ['--get-yargs-completions', 'comet-proxy', 'c']);
  assert.match(stdout, /^check\b/m);
});
