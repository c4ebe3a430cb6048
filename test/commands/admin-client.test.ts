import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askAdmin } from '../../src/commands/admin-client.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const at = (port: number) => ({ address: { kind: 'tcp', host: '127.0.0.1', port } }) as const;

test('somebody who takes the question and says nothing is given up', async (t) => {
  const silent = await startRawUpstream(t, () => undefined);
  const reply = await askAdmin(at(silent.port), { path: '/', timeoutMs: 50 });
  assert.deepEqual(reply, {
    kind: 'unreachable',
    message: `nothing answers at 127.0.0.1:${silent.port}: no answer in time`,
  });
});

test('somebody who begins an answer and never ends it is given up', async (t) => {
  const slow = await startUpstream(t, (_req, res) => void res.write('{'));
  const reply = await askAdmin(at(slow.port), { path: '/', timeoutMs: 100 });
  assert.equal(reply.kind, 'unreachable');
});

test('somebody who leaves in the middle of an answer is told as nobody', async (t) => {
  const rude = await startRawUpstream(t, (peer) => {
    peer.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}');
    peer.socket.end();
  });
  const reply = await askAdmin(at(rude.port), { path: '/' });
  assert.equal(reply.kind, 'unreachable');
});

test('it names itself as a program: neither Origin nor cookies', async (t) => {
  const admin = await startUpstream(t, (_req, res) => res.end('{}'));
  await askAdmin({ ...at(admin.port), token: 'x'.repeat(16) }, { path: '/x?y', body: { a: 1 } });
  const [request] = admin.requests;
  assert.equal(`${request?.method} ${request?.url}`, 'POST /x?y');
  const names = Object.keys(request?.headers ?? {}).sort();
  assert.deepEqual(names, [
    'authorization',
    'connection',
    'content-length',
    'content-type',
    'host',
  ]);
  assert.equal(request?.headers.host, 'localhost');
});
