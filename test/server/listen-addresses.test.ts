import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { readListenAddress } from '../../src/config/readers.ts';
import { createCertificate } from '../support/certificate.ts';
import { startListener } from '../support/listener.ts';
import { proxyV2 } from '../support/proxy-v2.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { watchSocket } from '../support/raw-peer.ts';

function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'proxy.sock');
}

async function askAt(t: TestContext, path: string, bytes: string | Buffer) {
  const socket = connect(path);
  t.after(() => socket.destroy());
  const client = watchSocket(socket);
  client.send(bytes);
  return await readAnswer(client);
}

test('a unix socket is for its owner and group, and its peers have no address', async (t) => {
  const path = socketPath(t);
  const listener = await startListener(t, { listen: `unix:${path}` });
  assert.equal(listener.url, `unix:${path}`);
  assert.equal(statSync(path).mode & 0o777, 0o660);
  assert.equal((await askAt(t, path, get())).body, 'ok');
  assert.deepEqual(listener.peers, [{ address: undefined, isEncrypted: false }]);
  await listener.close();
  assert.equal(existsSync(path), false);
});

test('a unix socket may carry the PROXY protocol, when "unix" is trusted', async (t) => {
  const path = socketPath(t);
  const listen = { address: `unix:${path}`, proxyProtocol: true };
  const listener = await startListener(t, { listen, trustedProxies: ['unix'] });
  const bytes = Buffer.concat([proxyV2(), Buffer.from(get())]);
  assert.equal((await askAt(t, path, bytes)).body, 'ok');
  assert.deepEqual(listener.peers, [{ address: '198.51.100.7', isEncrypted: false }]);
  await listener.close();
});

test('who comes through an untrusted unix socket cannot say who it is', async (t) => {
  const path = socketPath(t);
  const listen = { address: `unix:${path}`, proxyProtocol: true };
  const listener = await startListener(t, { listen, trustedProxies: ['0.0.0.0/0'] });
  await assert.rejects(askAt(t, path, Buffer.concat([proxyV2(), Buffer.from(get())])));
  assert.deepEqual(listener.peers, []);
});

test('TLS over a unix socket serves several clients at once', async (t) => {
  const path = socketPath(t);
  const listener = await startListener(t, {
    listen: { address: `unix:${path}`, tls: createCertificate(t) },
  });
  const clients = Array.from({ length: 5 }, () => {
    const socket = connectTls({ path, rejectUnauthorized: false });
    t.after(() => socket.destroy());
    const client = watchSocket(socket);
    client.send(get());
    return client;
  });
  for (const client of clients) assert.equal((await readAnswer(client)).body, 'ok');
  assert.deepEqual(listener.peers[4], { address: undefined, isEncrypted: true });
});

test('TLS behind the PROXY protocol on a unix socket is refused at the start', async (t) => {
  const listen = {
    address: `unix:${socketPath(t)}`,
    tls: createCertificate(t),
    proxyProtocol: true,
  };
  await assert.rejects(startListener(t, { listen, trustedProxies: ['unix'] }), /unix:.*"tls"/);
});

test('a socket file that a dead process left is replaced, that of a living one is not', async (t) => {
  const path = socketPath(t);
  const killItself = () => process.kill(process.pid, 'SIGKILL');
  const listenAndDie = `require('node:net').createServer().listen(${JSON.stringify(path)}, ${killItself})`;
  spawnSync(process.execPath, ['-e', listenAndDie]);
  assert.ok(statSync(path).isSocket());
  const first = await startListener(t, { listen: `unix:${path}` });
  await assert.rejects(startListener(t, { listen: `unix:${path}` }), { code: 'EADDRINUSE' });
  assert.equal((await askAt(t, path, get())).body, 'ok', 'the first one goes on');
  await first.close();
});

test('the number of an inherited socket is an address', () => {
  assert.deepEqual(readListenAddress('fd:3'), { kind: 'fd', fd: 3 });
  assert.deepEqual(readListenAddress('fd:12'), { kind: 'fd', fd: 12 });
  for (const value of ['fd:', 'fd:0', 'fd:2', 'fd:03', 'fd:x', 'fd:-1', 'fd:3.5', 'fd:1000000']) {
    assert.ok('problem' in readListenAddress(value), value);
  }
});

test('a number that is no listening socket is an error, and not the end of the process', async (t) => {
  await assert.rejects(startListener(t, { listen: 'fd:9999' }), { syscall: 'listen' });
});
