import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { frame } from '../../src/cluster/frames.ts';
import { HubLink } from '../../src/cluster/hub-link.ts';
import { openHubListener } from '../../src/cluster/hub-listener.ts';
import { Heard, socketPath } from '../cluster/socket-pair.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

/*
 * States of all clients pass the hub's socket: no other process of the machine may read them, or
 * have the hub ask the site in somebody's name.
 */

const KEY = 'bm9ib2R5IGVsc2Uga25vd3MgdGhpcyBrZXk=';

/** A hub that tells whoever it takes for an edge a state at once. */
async function startListener(t: TestContext) {
  const path = socketPath(t);
  const { log, lines } = recordingLog();
  const edges: Heard[] = [];
  const listener = await openHubListener({
    path,
    key: KEY,
    log,
    onEdge(socket) {
      const heard = new Heard();
      edges.push(heard);
      socket.send({ kind: 'apply' }, [Buffer.from('state of somebody')]);
      return heard;
    },
  });
  t.after(() => listener.close());
  return { path, lines, edges };
}

/** Say this as another process would; resolves when the hub has hung up, with all that it said. */
async function say(t: TestContext, path: string, ...parts: readonly Uint8Array[]): Promise<string> {
  const socket = connect(path);
  t.after(() => socket.destroy());
  let received = '';
  let isClosed = false;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isClosed = true;
  });
  for (const part of parts) socket.write(part);
  await until(() => isClosed);
  return received;
}

/** An edge of ours that is there all the time. */
async function startEdge(t: TestContext, path: string) {
  const told: unknown[] = [];
  let downs = 0;
  const handlers = {
    onUp: () => undefined,
    onDown: () => {
      downs += 1;
    },
    onMessage: (head: unknown) => told.push(head),
  };
  const clock = createFakeClock();
  const link = new HubLink({ path, key: KEY, clock, log: recordingLog().log }, handlers);
  t.after(() => link.close());
  await until(() => told.length === 1);
  return { link, downs: () => downs };
}

test('nobody but the user of the proxy can reach the hub', async (t) => {
  const { path } = await startListener(t);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a mask that forbids nothing makes no difference to that', async (t) => {
  const mask = process.umask(0);
  t.after(() => process.umask(mask));
  const { path } = await startListener(t);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

const open = { kind: 'open', ref: 1, wanted: { endpoint: '/x', url: '/x', target: '/x' } };
const STRANGERS: Readonly<Record<string, readonly Uint8Array[]>> = {
  'without a key': frame({ kind: 'hello' }),
  'with an empty key': frame({ kind: 'hello', key: '' }),
  'with another key of the same length': frame({ kind: 'hello', key: KEY.replace('b', 'c') }),
  'with the beginning of the key': frame({ kind: 'hello', key: KEY.slice(0, -1) }),
  'with more than the key': frame({ kind: 'hello', key: `${KEY}=` }),
  'with the key in another case': frame({ kind: 'hello', key: KEY.toUpperCase() }),
  'whose key is a list': frame({ kind: 'hello', key: [KEY] }),
  'whose key is null': frame({ kind: 'hello', key: null }),
  'whose key is a number': frame({ kind: 'hello', key: 0 }),
  'that announces more than any hello has': [Buffer.from([0, 1, 0, 0])],
  'whose first message is a request': frame(open),
  'whose first message is a request with the key': frame({ ...open, key: KEY }),
  'that says the key without hello': frame({ key: KEY }),
  'that says an empty list': frame([]),
  'that says the key in the body': frame({ kind: 'hello' }, [Buffer.from(KEY)]),
  'that speaks HTTP': [Buffer.from('GET / HTTP/1.1\r\nhost: hub\r\n\r\n')],
  'that announces a message of 4 GiB': [Buffer.from([0xff, 0xff, 0xff, 0xff])],
  'that says null': [Buffer.from('\0\0\0\u0008\0\0\0\u0004null', 'latin1')],
  'that says no JSON': [Buffer.from('\0\0\0\u0008\0\0\0\u0004{{{{', 'latin1')],
  'that corrects itself in its next message': [
    ...frame({ kind: 'hello', key: '' }),
    ...frame({ kind: 'hello', key: KEY }),
  ],
};

for (const [name, parts] of Object.entries(STRANGERS)) {
  test(`a process ${name} is hung up on, and told nothing`, async (t) => {
    const { path, edges, lines } = await startListener(t);
    assert.equal(await say(t, path, ...parts), '');
    assert.equal(edges.length, 0);
    assert.equal(JSON.stringify(lines).includes(KEY), false);
  });
}

test('a process that says nothing is told nothing, and what it says in pieces counts whole', async (t) => {
  const { path, edges } = await startListener(t);
  const socket = connect(path);
  t.after(() => socket.destroy());
  let received = '';
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  const hello = Buffer.concat(frame({ kind: 'hello', key: KEY }));
  socket.write(hello.subarray(0, -1));
  // Whoever comes later is welcome meanwhile.
  await startEdge(t, path);
  assert.equal(received, '');
  assert.equal(edges.length, 1);
  socket.write(hello.subarray(-1));
  await until(() => received.includes('state of somebody'));
  assert.equal(edges.length, 2);
});

test('edges are not disturbed by strangers', async (t) => {
  const { path, edges } = await startListener(t);
  const { link, downs } = await startEdge(t, path);
  for (const parts of Object.values(STRANGERS)) await say(t, path, ...parts);
  link.send({ n: 1 });
  await until(() => edges[0]?.heads.length === 1);
  assert.equal(downs(), 0);
  assert.equal(edges[0]?.closes, 0);
  assert.equal(edges.length, 1);
});
