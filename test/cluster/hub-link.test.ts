import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { HubLink } from '../../src/cluster/hub-link.ts';
import { openHubListener } from '../../src/cluster/hub-listener.ts';
import type { MessageSocket } from '../../src/cluster/message-socket.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { Heard, socketPath } from './socket-pair.ts';

const KEY = 'the key of this proxy';
const RETRY_MS = 100;

/** A hub that edges can reach, and one of them. */
async function scene(t: TestContext) {
  const path = socketPath(t);
  const clock = createFakeClock();
  const heard = new Heard();
  let edge: MessageSocket | undefined;
  const open = async () => {
    const onEdge = (socket: MessageSocket) => {
      edge = socket;
      return heard;
    };
    const listener = await openHubListener({ path, key: KEY, log: silentLogger, onEdge });
    t.after(() => listener.close());
    return listener;
  };
  const told: string[] = [];
  const link = (name = 'edge') => {
    const made: HubLink = new HubLink(
      { path, key: KEY, clock, log: silentLogger },
      {
        onUp: () => {
          told.push(`${name} up`);
          made.send({ from: name });
        },
        onDown: () => told.push(`${name} down`),
        onMessage: (head) => told.push(`${name} told ${JSON.stringify(head)}`),
      },
    );
    t.after(() => made.close());
    return made;
  };
  return { clock, heard, told, open, link, edge: () => edge };
}

test('an edge finds the hub, and they talk', async (t) => {
  const { heard, told, open, link, edge } = await scene(t);
  await open();
  const made = link();
  assert.equal(made.isUp, false);
  await until(() => heard.heads.length === 1);
  assert.equal(made.isUp, true);
  made.send({ n: 1 }, [Buffer.from('body')]);
  edge()?.send({ n: 2 });
  await until(() => heard.heads.length === 2 && told.length === 2);
  assert.deepEqual(heard.heads, [{ from: 'edge' }, { n: 1 }]);
  assert.deepEqual(heard.bodies, ['', 'body']);
  assert.deepEqual(told, ['edge up', 'edge told {"n":2}']);
});

test('an edge comes back once the hub is there again, and is told of both', async (t) => {
  const { clock, heard, told, open, link } = await scene(t);
  const first = await open();
  const made = link();
  await until(() => heard.heads.length === 1);
  first.close();
  await until(() => clock.pending === 1);
  assert.equal(made.isUp, false);
  assert.deepEqual(told, ['edge up', 'edge down']);
  made.send({ lost: true });
  for (let attempts = 0; attempts < 3; attempts++) {
    await clock.advance(RETRY_MS);
    // Refused: the next attempt is planned.
    await until(() => clock.pending === 1);
  }
  assert.deepEqual(told, ['edge up', 'edge down'], 'that is told once');
  await open();
  await clock.advance(RETRY_MS);
  await until(() => heard.heads.length === 2);
  assert.deepEqual(told, ['edge up', 'edge down', 'edge up']);
  assert.deepEqual(heard.heads.at(-1), { from: 'edge' }, 'what was said in between is gone');
  assert.equal(heard.closes, 1);
});

test('an edge that is there before the hub waits for it, and is not told that it is lost', async (t) => {
  const { clock, heard, told, open, link } = await scene(t);
  link();
  await until(() => clock.pending === 1);
  assert.deepEqual(told, []);
  await open();
  await clock.advance(RETRY_MS);
  await until(() => heard.heads.length === 1);
  assert.deepEqual(told, ['edge up']);
});

test('a new hub takes the place of the socket that a dead one has left', async (t) => {
  const { heard, open, link } = await scene(t);
  await open();
  // It still holds the socket: a file of that name is there.
  await open();
  link();
  await until(() => heard.heads.length === 1);
});

test('an edge that closes its link is gone for good, and is told nothing more', async (t) => {
  const { clock, heard, told, open, link } = await scene(t);
  await open();
  const made = link();
  await until(() => heard.heads.length === 1);
  made.close();
  await until(() => heard.closes === 1 && !made.isUp);
  assert.equal(clock.pending, 0);
  made.send({ n: 1 });
  await clock.advance(100 * RETRY_MS);
  assert.deepEqual(told, ['edge up']);
  assert.equal(heard.heads.length, 1);
});

test('an edge that closes its link while the hub is away does not look for it any more', async (t) => {
  const { clock, heard, told, open, link } = await scene(t);
  const made = link();
  await until(() => clock.pending === 1);
  made.close();
  assert.equal(clock.pending, 0);
  await open();
  await clock.advance(100 * RETRY_MS);
  link('another');
  await until(() => heard.heads.length === 1);
  assert.deepEqual(told, ['another up']);
});

test('an edge that closes its link before it is connected never is', async (t) => {
  const { clock, heard, told, open, link } = await scene(t);
  await open();
  link('first').close();
  link('second');
  await until(() => heard.heads.length === 1);
  assert.deepEqual(told, ['second up']);
  assert.equal(clock.pending, 0);
});
