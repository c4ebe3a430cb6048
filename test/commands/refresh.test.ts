import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { refresh } from '../../src/commands/refresh.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { socketPath, startAdmin, TOKEN } from '../server/admin-scene.ts';
import { unusedPort } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { emptyFolder } from './command.ts';
import { recordPrinted } from './printed.ts';

async function run(t: TestContext, admin: unknown, ...urls: string[]) {
  const file = join(emptyFolder(t), 'proxy.config.json');
  writeFileSync(file, JSON.stringify({ site: 'http://127.0.0.1:3000', admin }));
  const printed = recordPrinted(t);
  const code = await refresh({ kind: 'file', file }, urls);
  return { code, out: printed.out.join('\n'), err: printed.err.join('\n') };
}

test('it lets the running proxy poll each URL, and prints how many channels that are', async (t) => {
  const handlers = { refresh: () => ({ channels: 2 }) };
  const admin = await startAdmin(t, { token: TOKEN, handlers });
  const place = { address: `127.0.0.1:${admin.port}`, token: TOKEN };
  const urls = ['/api/orders?a=1&b=ü+%20', 'https://shop.example/x'];
  const { code, out, err } = await run(t, place, ...urls);
  assert.deepEqual([code, out, err], [0, '4 channels are polled now', '']);
  assert.deepEqual(admin.refreshed, urls);
});

test('one channel is told as one', async (t) => {
  const path = socketPath(t);
  await startAdmin(t, { path });
  const { code, out } = await run(t, `unix:${path}`, '/a');
  assert.deepEqual([code, out], [0, '1 channel is polled now']);
});

test('without "admin" nobody can be told', async (t) => {
  const { code, out, err } = await run(t, undefined, '/a');
  assert.match(
    err,
    /^comet-proxy: the config has no "admin", so the running proxy cannot be told$/,
  );
  assert.deepEqual([code, out], [69, '']);
});

test('when nothing runs there it says so', async (t) => {
  const { code, err } = await run(t, `127.0.0.1:${await unusedPort()}`, '/a');
  assert.match(err, /^comet-proxy: nothing answers at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
  assert.equal(code, 69);
});

test('without a token in the config it says what is needed', async (t) => {
  const { port } = await startAdmin(t);
  const { code, err } = await run(t, `127.0.0.1:${port}`, '/a');
  assert.match(err, /^comet-proxy: NO_TOKEN_SET: .* set "token" of "admin"/);
  assert.equal(code, 69);
});

test('a URL that the proxy does not take is a mistake of usage', async (t) => {
  const handlers = {
    refresh() {
      throw new ProxyError('BAD_URL');
    },
  };
  const { port } = await startAdmin(t, { token: TOKEN, handlers });
  const { code, err } = await run(t, { address: `127.0.0.1:${port}`, token: TOKEN }, '//x/y');
  assert.match(err, /^comet-proxy: BAD_URL: /);
  assert.equal(code, 64);
});

test('somebody else at the address is told from us', async (t) => {
  const stranger = await startUpstream(t, (_req, res) => res.end('null'));
  const { code, out, err } = await run(t, `127.0.0.1:${stranger.port}`, '/a');
  assert.match(err, /speaks another language/);
  assert.deepEqual([code, out], [69, '']);
});

test('a bad config is told, and 78', async (t) => {
  const { code, err } = await run(t, '0.0.0.0:9090', '/a');
  assert.match(err, /can be reached from other machines/);
  assert.equal(code, 78);
});
