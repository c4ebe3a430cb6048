import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Backplane, Lease } from '../../src/cluster/backplane.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { label, snapshot } from '../protocol/events.ts';
import { until } from '../support/until.ts';

/** The nodes of a test: each call gives the backplane as one more node has it. */
export type OpenNode = (t: TestContext) => Promise<Backplane>;

/**
 * What every backplane must do. A backplane that has only one node gives the same object to each.
 *
 * @param setUp - Called by each test; the nodes that it opens see each other, and no other test's.
 */
export function testBackplane(name: string, setUp: () => OpenNode): void {
  const rule = (text: string, run: (t: TestContext, open: OpenNode) => Promise<void>) =>
    test(`${name}: ${text}`, (t) => run(t, setUp()));

  rule('a channel has one writer at a time', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    const lease = await acquired(here, 'c');
    assert.ok(lease.isValid());
    assert.equal(lease.channel, 'c');
    assert.equal(await there.acquire('c'), undefined);
    assert.equal(await here.acquire('c'), undefined);
    await acquired(there, 'other');
  });

  rule('a lease that was released can be had by another', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    const lease = await acquired(here, 'c');
    await lease.release();
    assert.equal(lease.isValid(), false);
    const next = await acquired(there, 'c');
    await lease.release(); // once more: it must not take the lease of the other
    assert.ok(next.isValid());
    assert.equal(await here.acquire('c'), undefined);
  });

  rule('no two leases have the same epoch, and each fits an event id', async (t, open) => {
    const node = await open(t);
    const epochs = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const lease = await acquired(node, i % 2 ? 'c' : 'd');
      assert.match(lease.epoch, /^[0-9a-z]{1,32}$/);
      epochs.add(lease.epoch);
      await lease.release();
    }
    assert.equal(epochs.size, 50);
  });

  rule('events reach every subscriber of their channel, in order', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    const lease = await acquired(here, 'c');
    const logs = [await record(here, 'c'), await record(there, 'c'), await record(there, 'd')];
    const ids = Array.from({ length: 20 }, (_, i) => `e-${i}`);
    for (const id of ids) assert.equal(await here.publish(lease, snapshot(id)), true);
    const [own, other, unrelated] = logs;
    await until(() => own?.length === 20 && other?.length === 20);
    const expected = ids.map((id) => `snapshot ${id}`);
    assert.deepEqual(own?.map(label), expected);
    assert.deepEqual(other?.map(label), expected);
    assert.deepEqual(unrelated, []);
  });

  rule('events are published in the order of the calls, awaited or not', async (t, open) => {
    const node = await open(t);
    const lease = await acquired(node, 'c');
    const events = await record(node, 'c');
    const ids = Array.from({ length: 20 }, (_, i) => `e-${i}`);
    await Promise.all(ids.map((id) => node.publish(lease, snapshot(id))));
    await until(() => events.length === 20);
    assert.deepEqual(
      events.map(({ id }) => id),
      ids,
    );
  });

  rule('an event arrives as it was sent', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    const lease = await acquired(here, 'c');
    const received = await record(there, 'c');
    const sent: ChannelEvent[] = [
      { ...snapshot('e-1', 'a\r\nb\0 "é" 😀'), headers: { 'content-type': 'text/x', etag: '"1"' } },
      snapshot('e-2', Buffer.from([0, 255, 13, 10]), 'image/png'),
      { ...snapshot('e-3', ''), status: 204 },
      controlEvent('stale', undefined, { code: 'UPSTREAM_STATUS', status: 503 }),
      controlEvent('fresh', 'e-3', {}),
      controlEvent('gone', undefined, { status: 410 }),
    ];
    for (const event of sent) await here.publish(lease, event);
    await until(() => received.length === sent.length);
    assert.deepEqual(received.map(plain), sent.map(plain));
  });

  rule('an event of a lease that was lost is refused', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    const old = await acquired(here, 'c');
    const events = await record(there, 'c');
    await old.release();
    assert.equal(await here.publish(old, snapshot('old-1')), false);
    const next = await acquired(there, 'c');
    assert.equal(await here.publish(old, snapshot('old-2')), false);
    assert.equal(await there.publish(next, snapshot('new-1')), true);
    await until(() => events.length > 0);
    assert.deepEqual(events.map(label), ['snapshot new-1']);
  });

  rule('who has unsubscribed gets nothing more, and nobody else is touched', async (t, open) => {
    const node = await open(t);
    const gone: ChannelEvent[] = [];
    const unsubscribe = await node.subscribe('c', (event) => gone.push(event));
    unsubscribe();
    const staying = await record(node, 'c');
    unsubscribe(); // once more
    const newcomer = await record(node, 'c');
    const lease = await acquired(node, 'c');
    await node.publish(lease, snapshot('e-1'));
    await until(() => newcomer.length === 1);
    assert.equal(staying.length, 1);
    assert.deepEqual(gone, []);
  });

  rule('who unsubscribes while an event is delivered disturbs nobody', async (t, open) => {
    const node = await open(t);
    const lease = await acquired(node, 'c');
    const unsubscribe = await node.subscribe('c', () => unsubscribe());
    const staying = await record(node, 'c');
    for (const id of ['e-1', 'e-2']) await node.publish(lease, snapshot(id));
    await until(() => staying.length === 2);
  });

  rule('the latest is the newest snapshot, whatever was told after it', async (t, open) => {
    const [here, there] = [await open(t), await open(t)];
    assert.equal(await there.latest('c'), undefined);
    const lease = await acquired(here, 'c');
    await here.publish(lease, snapshot('e-1'));
    await here.publish(lease, snapshot('e-2'));
    await here.publish(lease, controlEvent('stale', 'e-2', {}));
    assert.equal((await there.latest('c'))?.id, 'e-2');
    assert.equal(await there.latest('d'), undefined);
  });

  rule('after a last word there is no latest', async (t, open) => {
    const node = await open(t);
    const lease = await acquired(node, 'c');
    await node.publish(lease, snapshot('e-1'));
    await node.publish(lease, controlEvent('unauthorized', undefined, {}));
    assert.equal(await node.latest('c'), undefined);
  });

  rule('there is no latest of a channel that nobody holds a lease on', async (t, open) => {
    const node = await open(t);
    const lease = await acquired(node, 'c');
    await node.publish(lease, snapshot('e-1'));
    await lease.release();
    assert.equal(await node.latest('c'), undefined);
  });

  rule('closing ends leases and subscriptions', async (t, open) => {
    const node = await open(t);
    const lease = await acquired(node, 'c');
    const events = await record(node, 'c');
    await node.close();
    assert.equal(lease.isValid(), false);
    assert.equal(await node.publish(lease, snapshot('e-1')).catch(() => false), false);
    assert.deepEqual(events, []);
    await lease.release(); // and both may be told once more
    await node.close();
  });
}

async function acquired(node: Backplane, channel: string): Promise<Lease> {
  const lease = await node.acquire(channel);
  assert.ok(lease, `no lease on ${channel}`);
  return lease;
}

/** The events of a channel from now on. */
async function record(node: Backplane, channel: string): Promise<ChannelEvent[]> {
  const events: ChannelEvent[] = [];
  await node.subscribe(channel, (event) => events.push(event));
  return events;
}

/** An event in a form that does not tell a Buffer from another array of bytes. */
function plain(event: ChannelEvent): object {
  return { ...event, data: Buffer.from(event.data).toString('hex') };
}
