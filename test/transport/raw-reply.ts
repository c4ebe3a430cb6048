import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ReplyFraming } from '../../src/transport/framing.ts';
import { Reply } from '../../src/transport/reply.ts';
import { Unread } from '../../src/transport/unread.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { OPTIONS } from './framings.ts';

export const WAIT_MS = 25_000;

/** A long poll that is held, and its client. */
export interface OpenReply {
  readonly reply: Reply;
  readonly peer: RawPeer;
  readonly clock: FakeClock;
  /** How often it said that it is over. */
  readonly closed: () => number;
  /** The first poll of the site has ended. */
  readonly settle: () => void;
  readonly answer: () => Promise<RawAnswer>;
  /** The server's ends of open connections. */
  readonly serverSockets: ReadonlySet<unknown>;
}

/** Hold a long poll over a real socket. All is closed when the test ends. */
export async function openReply(
  t: TestContext,
  framing: ReplyFraming,
  /** Real milliseconds: the socket's own timeout measures them. */
  stallMs = 120_000,
): Promise<OpenReply> {
  const clock = createFakeClock();
  let closed = 0;
  let settle = () => {};
  const ready = new Promise<void>((resolve) => {
    settle = resolve;
  });
  let reply: Reply | undefined;
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url !== '/') return void res.end('again');
    reply = new Reply(res, framing, {
      clock,
      framing: OPTIONS,
      headers: { 'x-more': 'yes' },
      stallMs,
      waitMs: WAIT_MS,
      unread: new Unread(),
      ready,
      onDrain: () => assert.fail('there is nothing to drain'),
      onClose: () => {
        closed += 1;
      },
    });
  });
  const peer = connectRaw(t, upstream.port);
  peer.send(get('/'));
  await until(() => reply !== undefined);
  assert.ok(reply);
  const { sockets: serverSockets } = upstream;
  const answer = () => readAnswer(peer);
  return { reply, peer, clock, closed: () => closed, settle, answer, serverSockets };
}
