import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { frame } from '../../src/cluster/frames.ts';
import { MessageSocket } from '../../src/cluster/message-socket.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';
import { Heard, socketPair } from './socket-pair.ts';

const MIB = 1_024 * 1_024;

/** Two processes that talk to each other. */
async function pair(t: TestContext) {
  const [near, far] = await socketPair(t);
  const { log, lines } = recordingLog();
  const [nearHeard, farHeard] = [new Heard(), new Heard()];
  return {
    lines,
    near: { messages: new MessageSocket(near, nearHeard, log), heard: nearHeard, socket: near },
    far: { messages: new MessageSocket(far, farHeard, log), heard: farHeard, socket: far },
  };
}

test('messages come whole and in order, of one turn and of later ones, both ways', async (t) => {
  const { near, far } = await pair(t);
  near.messages.send({ n: 1 });
  near.messages.send({ n: 2 }, [Buffer.from('two '), Buffer.from('parts')]);
  far.messages.send({ n: -1 });
  setImmediate(() => near.messages.send({ n: 3 }, [Buffer.from('x'.repeat(MIB))]));
  await until(() => far.heard.heads.length === 3 && near.heard.heads.length === 1);
  assert.deepEqual(far.heard.heads, [{ n: 1 }, { n: 2 }, { n: 3 }]);
  assert.deepEqual(far.heard.bodies.slice(0, 2), ['', 'two parts']);
  assert.equal(far.heard.bodies[2]?.length, MIB);
  assert.deepEqual(near.heard.heads, [{ n: -1 }]);
});

/** A socket that keeps what it is given at once. */
class WrittenSocket extends Duplex {
  readonly writes: Buffer[] = [];

  override _read(): void {}

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.writes.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    callback();
  }

  override _write(chunk: Buffer, _: unknown, callback: (error?: Error | null) => void): void {
    this.writes.push(chunk);
    callback();
  }
}

test('messages of one turn leave together, and those of the next one after them', async () => {
  const socket = new WrittenSocket();
  const messages = new MessageSocket(socket as unknown as Socket, new Heard(), silentLogger);
  const sent = [{ n: 1 }, { n: 2 }, { n: 3 }];
  for (const head of sent) messages.send(head, [Buffer.from('body')]);
  assert.equal(socket.writes.length, 0);
  await new Promise(setImmediate);
  const expected = Buffer.concat(sent.flatMap((head) => frame(head, [Buffer.from('body')])));
  assert.deepEqual(socket.writes, [expected]);
  messages.send({ n: 4 });
  await new Promise(setImmediate);
  assert.equal(socket.writes.length, 2);
});

test('a handler that throws ends its connection, and no other one', async (t) => {
  const [bad, good] = [await pair(t), await pair(t)];
  let calls = 0;
  bad.far.heard.onMessage = () => {
    calls += 1;
    throw new Error('cannot be understood');
  };
  bad.near.messages.send({ n: 1 });
  bad.near.messages.send({ n: 2 });
  await until(() => bad.near.heard.closes > 0 && bad.far.heard.closes > 0);
  assert.deepEqual([bad.near.heard.closes, bad.far.heard.closes, calls], [1, 1, 1]);
  assert.deepEqual(
    bad.lines.map(({ level }) => level),
    ['error'],
  );
  good.near.messages.send({ n: 3 });
  await until(() => good.far.heard.heads.length === 1);
  assert.deepEqual([good.near.heard.closes, good.far.heard.closes], [0, 0]);
});

test('bytes that are no message end the connection', async (t) => {
  const { near, far, lines } = await pair(t);
  near.socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await until(() => far.heard.closes > 0 && near.heard.closes > 0);
  assert.deepEqual(far.heard.heads, []);
  assert.equal(lines.filter(({ level }) => level === 'error').length, 1);
});

test('a peer that does not read makes the socket crowded, until it has read it all', async (t) => {
  const [near, reader] = await socketPair(t);
  const heard = new Heard();
  const messages = new MessageSocket(near, heard, silentLogger);
  messages.send({ n: 1 }, [Buffer.alloc(7 * MIB)]);
  assert.equal(messages.isCrowded, false);
  messages.send({ n: 2 }, [Buffer.alloc(7 * MIB)]);
  assert.equal(messages.isCrowded, true);
  // A message both ways: what the kernel had room for has left.
  reader.write(Buffer.concat(frame({ n: -1 })));
  await until(() => heard.heads.length === 1);
  assert.equal(messages.isCrowded, true);
  assert.equal(heard.drains, 0);
  reader.resume();
  await until(() => heard.drains > 0);
  assert.equal(messages.isCrowded, false);
  assert.equal(heard.drains, 1);
});

test('a peer that leaves is missed once, and what is sent afterwards goes nowhere', async (t) => {
  const { near, far, lines } = await pair(t);
  near.messages.destroy();
  await until(() => far.heard.closes > 0 && near.heard.closes > 0);
  near.messages.send({ n: 1 });
  far.messages.send({ n: 2 });
  await new Promise(setImmediate);
  assert.deepEqual([near.heard.closes, far.heard.closes], [1, 1]);
  assert.deepEqual([near.heard.heads, far.heard.heads], [[], []]);
  assert.deepEqual(lines, [], 'nothing went wrong');
});

test('a connection that breaks while it is written to ends quietly', async (t) => {
  const { near, far, lines } = await pair(t);
  far.socket.pause();
  near.messages.send({ n: 1 }, [Buffer.alloc(16 * MIB)]);
  await new Promise(setImmediate);
  far.messages.destroy();
  await until(() => near.heard.closes > 0);
  assert.equal(near.heard.closes, 1);
  assert.ok(lines.every(({ level }) => level === 'debug'));
});
