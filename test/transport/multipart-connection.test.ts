import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controlEvent } from '../../src/protocol/event.ts';
import { mixed, mixedReplace } from '../../src/transport/multipart.ts';
import { snapshot } from '../protocol/events.ts';
import { until } from '../support/until.ts';
import { dechunk } from './dechunk.ts';
import { boundaryOf, readAsImage } from './multipart-reader.ts';
import type { OpenConnection } from './raw-connection.ts';
import { HEARTBEAT_MS, openConnection } from './raw-connection.ts';

const B = boundaryOf(mixedReplace);
const FIRST = snapshot('a-1', Buffer.from('one'), 'image/png');
const SECOND = snapshot('a-2', Buffer.from('two'), 'image/gif');
const NEXT = `\r\n--${B}\r\nContent-Type: image/png\r\n\r\n`;
const STALE = controlEvent('stale', 'a-1~stale', { code: 'UPSTREAM_TIMEOUT' });

/** Wait until exactly this has arrived. */
async function arrived({ peer }: OpenConnection, text: string): Promise<void> {
  await until(() => dechunk(peer.body, true).length >= text.length);
  assert.equal(dechunk(peer.body, true).toString(), text);
}

test('before the first image a heartbeat is a field of its head', async (t) => {
  const open = await openConnection(t, { framing: mixedReplace });
  await open.clock.advance(2 * HEARTBEAT_MS);
  open.connection.send([FIRST], '/x', true);
  const beats = 'X-Heartbeat: 1\r\n'.repeat(2);
  await arrived(open, `--${B}\r\n${beats}Content-Type: image/png\r\n\r\none${NEXT}`);
});

test('after an image the heartbeat is the same image again', async (t) => {
  const open = await openConnection(t, { framing: mixedReplace });
  open.connection.send([FIRST], '/x', true);
  await open.clock.advance(2 * HEARTBEAT_MS);
  const one = `one${NEXT}`;
  await arrived(open, `--${B}\r\nContent-Type: image/png\r\n\r\n${one}${one}${one}`);
});

test('the heartbeat is the newest image, of whatever type', async (t) => {
  const open = await openConnection(t, { framing: mixedReplace });
  open.connection.send([FIRST, SECOND], '/x', true);
  await until(() => open.peer.body.includes('two'));
  await open.clock.advance(HEARTBEAT_MS);
  const shown = () => readAsImage(dechunk(open.peer.body, true), B).slice(-2);
  await until(() => shown().every(({ body }) => String(body) === 'two'));
  assert.deepEqual(
    shown().map(({ type }) => type),
    ['image/gif', 'image/gif'],
  );
});

for (const [what, event] of [
  ['a word about the upstream', STALE],
  ['a body that cannot be shown', snapshot('a-2', Buffer.from(`--${B}`), 'image/png')],
] as const) {
  test(`a heartbeat comes after ${what} too: the last image that was shown`, async (t) => {
    const open = await openConnection(t, { framing: mixedReplace });
    open.connection.send([FIRST, event], '/x', true);
    await open.clock.advance(HEARTBEAT_MS);
    open.connection.end();
    await until(() => open.peer.body.endsWith('\r\n0\r\n\r\n'));
    const one = `one${NEXT}`;
    assert.equal(
      dechunk(open.peer.body).toString(),
      `--${B}\r\nContent-Type: image/png\r\n\r\n${one}${one}\r\n--${B}--\r\n`,
    );
  });
}

test('a word before the first image does not stop the heartbeats', async (t) => {
  const open = await openConnection(t, { framing: mixedReplace });
  open.connection.send([STALE], '/x', true);
  await open.clock.advance(HEARTBEAT_MS);
  await arrived(open, `--${B}\r\nX-Heartbeat: 1\r\n`);
});

test('a multipart stream for programs has empty parts for heartbeats and an end', async (t) => {
  const open = await openConnection(t, { framing: mixed });
  await open.clock.advance(HEARTBEAT_MS);
  open.connection.end(3_000);
  await until(() => open.peer.body.endsWith('\r\n0\r\n\r\n'));
  assert.equal(
    dechunk(open.peer.body).toString(),
    `--${B}\r\nContent-Length: 0\r\n\r\n\r\n--${B}\r\nX-Retry-Ms: 3000\r\n\r\n\r\n--${B}--\r\n`,
  );
});
