import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * What a client costs is counted as long as it costs it: no seat is given back before its answer is
 * read, and none is kept for a client that has left.
 */

const LARGE = JSON.stringify('x'.repeat(20_000_000));

test('a long poll keeps its seat until its answer is read', async (t) => {
  const site = await startStates(t, { '/x': LARGE });
  const live = { '/x': { every: '1s', vary: [], maxBody: '64MiB' } };
  const proxy = await startTestProxy(t, { site: site.url, live, limits: { streamsPerAddress: 2 } });
  const peers = [1, 2].map(() => {
    const peer = connectRaw(t, proxy.port);
    peer.send(get('/_comet/poll?url=/x'));
    return peer;
  });
  for (const peer of peers) {
    await peer.receive('HTTP/1.1 200');
    peer.socket.pause();
  }
  // Larger than what the kernel takes: what is left of it waits here.
  await until(() => site.polls('/x') > 0);
  const third = connectRaw(t, proxy.port);
  third.send(get('/_comet/poll?url=/x'));
  assert.equal((await readAnswer(third)).status, 429);
  for (const peer of peers) peer.reset();
  await until(() => proxy.streamCount === 0);
  const fourth = connectRaw(t, proxy.port);
  fourth.send(get('/_comet/poll?url=/x'));
  await fourth.receive('HTTP/1.1 200');
});

test('a client that has left before it could be held takes no seat', async (t) => {
  let isSlow = false;
  let poll: ServerResponse | undefined;
  const site = await startUpstream(t, (_req, res) => {
    if (isSlow) poll = res;
    else res.setHeader('content-type', 'application/json').end('1');
  });
  const live = { '/x': { every: '50ms', vary: [], linger: '0s' } };
  const proxy = await startTestProxy(t, { site: site.url, live, limits: { streamsPerAddress: 1 } });
  const ask = (...lines: string[]) => {
    const peer = connectRaw(t, proxy.port);
    peer.send(get('/x', ...lines));
    return peer;
  };
  const [etag = ''] = (await readAnswer(ask())).values('etag');
  isSlow = true;
  // What is known gets old: then the next request has to wait for a poll.
  let impatient = ask(`If-None-Match: ${etag}`, 'Prefer: wait=50');
  while (!poll) {
    await Promise.race([impatient.closed, until(() => poll !== undefined), pause(60)]);
    if (!poll) {
      impatient.reset();
      impatient = ask(`If-None-Match: ${etag}`, 'Prefer: wait=50');
    }
  }
  impatient.reset();
  // On the way that the reset took before: it has arrived when this is answered.
  const marker = connectRaw(t, proxy.port);
  marker.send(get('/_comet/nothing'));
  await readAnswer(marker);
  isSlow = false;
  poll.setHeader('content-type', 'application/json').end('1');
  assert.equal((await readAnswer(ask())).status, 200);
  const stream = connectRaw(t, proxy.port);
  stream.send(get('/_comet/poll?url=/x'));
  assert.equal((await readAnswer(stream)).status, 200);
});
