import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { socketPath, startAdmin } from '../server/admin-scene.ts';
import { emptyFolder, runCommand } from './command.ts';

function folderWith(t: TestContext, config: object): string {
  const folder = emptyFolder(t);
  const live = { '/api/status': '2s' };
  const text = JSON.stringify({ site: 'http://127.0.0.1:3000', live, ...config });
  writeFileSync(join(folder, 'proxy.config.json'), text);
  return folder;
}

test('explain asks the running proxy with the flags of the command line', async (t) => {
  const path = socketPath(t);
  const admin = await startAdmin(t, { path });
  const cwd = folderWith(t, { admin: `unix:${path}` });
  const flags = ['-H', 'Cookie: a=1; b=2', '--header', 'X-A: b:c', '--method', 'POST'];
  const args = ['explain', 'https://shop.example/a?b', ...flags, '--body', '{}', '--json'];
  const { code, stdout, stderr } = await runCommand(t, args, { cwd });
  assert.deepEqual([code, stderr, JSON.parse(stdout).route], [0, '', 'site']);
  const headers = ['Cookie', 'a=1; b=2', 'X-A', 'b:c'];
  assert.deepEqual(admin.questions, [
    { target: 'https://shop.example/a?b', method: 'POST', headers, body: '{}' },
  ]);
});

test('explain with flags in place of a file says what they say', async (t) => {
  const source = ['--site', 'http://127.0.0.1:3000', '--live', '/api/*=2s'];
  const { code, stdout, stderr } = await runCommand(t, ['explain', '/api/status', ...source]);
  assert.match(stdout, /^\/api\/status\nroute +live: matches "\/api\/\*"$/m);
  assert.match(stderr, /the config has no "admin"/);
  assert.equal(code, 69);
});

test('refresh takes several URLs', async (t) => {
  const path = socketPath(t);
  const admin = await startAdmin(t, { path });
  const cwd = folderWith(t, { admin: `unix:${path}` });
  const { code, stdout } = await runCommand(t, ['refresh', '/a', '/b?c=d'], { cwd });
  assert.deepEqual([code, stdout], [0, '2 channels are polled now\n']);
  assert.deepEqual(admin.refreshed, ['/a', '/b?c=d']);
});

const MISTAKES: readonly [args: readonly string[], message: RegExp][] = [
  [['explain'], /Not enough non-option arguments/],
  [['explain', '/a', '/b'], /Unknown argument: \/b/],
  [['explain', 'api/status'], /not a path or an http URL: api\/status/],
  [['explain', 'ftp://shop.example/a'], /not a path or an http URL/],
  [['explain', '/a', '-H', 'Cookie'], /not a header: it needs a name/],
  [['explain', '/a', '--method', 'GET /'], /not a method/],
  [['explain', '/a', '--method', 'GET', '--method', 'POST'], /--method can be given only once/],
  [['explain', '/a', '--body', 'a', '--body', 'b'], /--body can be given only once/],
  [['refresh'], /Not enough non-option arguments/],
  [['refresh', '/a', 'b'], /not a path or an http URL: b/],
];
for (const [args, message] of MISTAKES) {
  test(`${args.join(' ')} is a mistake of usage`, async (t) => {
    const { code, stdout, stderr } = await runCommand(t, args, { cwd: folderWith(t, {}) });
    assert.match(stderr, message);
    assert.match(stderr, /\nTry: comet-proxy --help\n$/);
    assert.deepEqual([code, stdout], [64, '']);
  });
}
