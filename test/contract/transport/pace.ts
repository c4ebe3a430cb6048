import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createFakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import type { Client } from './clients.ts';
import { BARE_SSE, isLongPoll } from './clients.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import { openSite } from './site.ts';

/** What the kernel takes of it is a small part. */
const CHANGES = 40;
const STATE = randomBytes(750_000).toString('base64');
/** More than the kernel takes for one connection. */
const HUGE = randomBytes(9_000_000).toString('base64');

const HEARTBEAT_MS = 15_000;
/** As the clients of long polls ask for. */
const WAIT_MS = 20_000;

/** Idle streams, slow readers, and readers that leave. */
export function testPace(client: Client): void {
  const rule = rulesOf(client);
  const asked = { '/api/x': undefined };

  rule(
    'an idle stream has a heartbeat every 15 s, a long poll ends empty in its time',
    async (t) => {
      const clock = createFakeClock();
      const silenceMs = isLongPoll(client) ? WAIT_MS : HEARTBEAT_MS;
      const site = await openSite(t, { clock, endpoint: { every: '1h' } });
      site.putJson('/api/x', 1);
      const reader = read(t, client, site, asked);
      await reader.next();
      for (const count of [1, 2]) {
        await until(() => site.proxy.streamCount === 1);
        await clock.advance(silenceMs - 1);
        assert.equal(reader.heartbeats, count - 1);
        await clock.advance(1);
        await until(() => reader.heartbeats === count);
        await reader.heardOut();
      }
      await until(() => site.proxy.streamCount === 1);
      site.putJson('/api/x', 2);
      // A write is followed by a poll, whatever the time.
      await clock.advance(0.6 * silenceMs);
      await fetch(new URL('/api/x', site.proxy.url), { method: 'POST' });
      const seen = reader.events.length;
      while (reader.events.length === seen) await clock.advance(0);
      assert.equal((await reader.next()).data, 2);
      assert.equal(reader.heartbeats, 2);
    },
  );

  rule(
    'a slow reader gets the newest state, and not everything that it has missed',
    async (t) => {
      const site = await openSite(t, { endpoint: { history: 0 } });
      const put = (version: number) =>
        site.put('/api/x', { type: 'text/plain', body: `${version}:${STATE}` });
      const versionOf = ({ body }: { body: Buffer }) =>
        Number(body.subarray(0, 10).toString().split(':')[0]);
      put(0);
      const witness = read(t, BARE_SSE, site, asked);
      const slow = read(t, client, site, asked);
      assert.deepEqual([versionOf(await witness.next()), versionOf(await slow.next())], [0, 0]);
      slow.pause();
      for (let version = 1; version <= CHANGES; version++) {
        put(version);
        assert.equal(versionOf(await witness.next()), version, 'nobody else is delayed');
      }
      slow.resume();
      await until(() => slow.events.some((told) => versionOf(told) === CHANGES));
      const seen = slow.events.map(versionOf);
      assert.deepEqual(
        seen,
        [...new Set(seen)].sort((a, b) => a - b),
      );
      assert.equal(seen.at(-1), CHANGES);
      // A queue would have held them all: only what the kernel took before it was full is there.
      assert.ok(seen.length <= CHANGES / 2, `it was sent the versions ${seen}`);
      put(CHANGES + 1);
      assert.equal(versionOf(await witness.next()), CHANGES + 1);
      await until(() => slow.events.some((told) => versionOf(told) === CHANGES + 1));
    },
    isLongPoll(client) && 'a long poll is one answer: who is slow asks later',
  );

  rule('a peer that leaves in mid write harms nobody', async (t) => {
    const site = await openSite(t, { endpoint: { maxBody: '64MiB' } });
    site.put('/api/x', { type: 'text/plain', body: HUGE });
    site.putJson('/api/y', 1);
    const other = read(t, BARE_SSE, site, { '/api/y': undefined });
    await other.next();
    const leaving = read(t, client, site, asked);
    leaving.pause();
    await until(() => leaving.isOpen);
    leaving.close();
    await until(() => site.proxy.streamCount === 1);
    site.putJson('/api/y', 2);
    assert.equal((await other.next()).data, 2);
    site.putJson('/api/x', 'small');
    // Whoever comes before the next poll is given the state before that as well.
    const next = read(t, client, site, asked);
    await until(() => next.events.at(-1)?.data === 'small');
    other.close();
    const failures = site.proxy.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(failures, []);
  });

  rule('when its readers have left a proxy has no streams', async (t) => {
    const site = await openSite(t);
    site.putJson('/api/x', 1);
    const readers = Array.from({ length: 3 }, () => read(t, client, site, asked));
    for (const reader of readers) await reader.next();
    await until(() => site.proxy.streamCount === 3);
    for (const reader of readers) reader.close();
    await until(() => site.proxy.streamCount === 0);
  });
}
