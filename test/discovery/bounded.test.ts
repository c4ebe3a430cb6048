import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Attention } from '../../src/discovery/attention.ts';
import { CountedSet } from '../../src/discovery/counted-set.ts';
import { discover } from '../../src/discovery/discovery.ts';
import { createKeyedHash } from '../../src/discovery/keyed-hash.ts';
import type { Counted } from '../../src/discovery/top-keys.ts';
import { TopKeys } from '../../src/discovery/top-keys.ts';
import { Traffic } from '../../src/discovery/traffic.ts';
import { seededRandom } from './random.ts';
import { inShort, ticks } from './scenes.ts';

const LIMITS = {
  shapes: 40,
  clientsPerShape: 8,
  requestsPerClient: 16,
  numbers: 2_500,
  forgetAfterMs: 600_000,
};

test('what comes most often is kept, whatever else comes by', () => {
  const evicted: string[] = [];
  const top = new TopKeys<Counted & { key: string }>(10, ({ key }) => void evicted.push(key));
  const count = (key: string) => top.count(key, () => ({ key, count: 0, error: 0 }));
  for (let i = 0; i < 5_000; i++) {
    count(`once ${i}`);
    if (i % 5 === 0) count('often');
  }
  const kept = [...top.values()];
  assert.equal(kept.length, 10);
  const often = kept.find(({ key }) => key === 'often');
  assert.ok(
    often && often.count - often.error <= 1_000 && often.count >= 1_000,
    JSON.stringify(often),
  );
  assert.ok(!evicted.slice(-4_000).includes('often'));
});

test('different things are counted in little room, to a few percent', () => {
  for (const count of [1, 50, 800, 4_000]) {
    const set = new CountedSet(2_048);
    const hash = createKeyedHash([7, 9]);
    for (let i = 0; i < count; i++)
      for (let twice = 0; twice < 2; twice++) set.add(hash(`client ${i}`));
    assert.ok(Math.abs(set.size - count) <= Math.max(1, 0.08 * count), `${set.size} of ${count}`);
  }
});

test('a keyed hash is another one with another key, and differs in each letter', () => {
  const [one, other] = [createKeyedHash([1, 2]), createKeyedHash([1, 3])];
  const texts = ['', 'a', 'b', 'ab', 'ba', 'aa', 'aaa', 'a\0', '\0', 'session=1', 'session=2'];
  const hashes = texts.map(one);
  assert.equal(new Set(hashes).size, texts.length);
  assert.deepEqual(texts.map(one), hashes);
  for (const text of texts) assert.notEqual(one(text), other(text));
  const ones = Array.from({ length: 2_000 }, (_, i) => one(`client ${i}`));
  for (let bit = 0; bit < 32; bit++) {
    const set = ones.filter((hash) => (hash >>> bit) & 1).length;
    assert.ok(set > 880 && set < 1_120, `bit ${bit} is set ${set} times`);
  }
});

test('polls are found among any number of clients and URLs, in the room that there is', () => {
  const random = seededRandom(6);
  const traffic = new Traffic({ limits: LIMITS, key: [1, 2], texts: 'forget' });
  // 200 clients poll, far more than are remembered; others come once.
  const polls = Array.from({ length: 200 }, (_, i) => {
    return ticks({
      everyMs: 5_000,
      times: 40,
      client: `client ${i}`,
      startMs: i * 23,
      target: '/status',
    });
  }).flat();
  let most = 0;
  for (const poll of polls.sort((a, b) => a.atMs - b.atMs)) {
    traffic.see(poll);
    const client = `c${Math.floor(random() * 1e6)}`;
    const target = `/item/${Math.floor(random() * 1e6)}?q=${random()}`;
    traffic.see({ ...poll, client, target });
    traffic.see({ ...poll, client, target: '/start' });
    if (random() < 0.01) traffic.see({ ...poll, client });
    most = Math.max(most, traffic.room);
  }
  assert.ok(most <= LIMITS.numbers, `${most}`);
  assert.ok(traffic.shapes().length <= LIMITS.shapes);
  assert.ok(traffic.shapes().every(({ tracks }) => tracks.size <= LIMITS.clientsPerShape));
  const report = discover(traffic, { kind: 'files', unreadable: 0 });
  assert.deepEqual(inShort(report), ['poll GET /status every 5000']);
  const { clients = 0, requests = 0 } = report.found[0] ?? {};
  assert.ok(Math.abs(clients - 280) < 40, `${clients} clients`);
  assert.ok(Math.abs(requests - 8_080) < 100, `${requests} requests`);
});

test('clients that are gone make room for those that come', () => {
  const traffic = new Traffic({ limits: LIMITS, key: [1, 2], texts: 'forget' });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 8; i++) {
      const startMs = round * 3_600_000;
      for (const seen of ticks({
        everyMs: 2_000,
        times: 20,
        client: `c${round} ${i}`,
        startMs,
        target: '/a',
      }))
        traffic.see(seen);
    }
  }
  const [shape] = traffic.shapes();
  const last = Math.max(...[...(shape?.tracks.values() ?? [])].map(({ lastMs }) => lastMs));
  assert.equal(shape?.tracks.size, 8);
  assert.ok([...(shape?.tracks.values() ?? [])].every(({ lastMs }) => last - lastMs < 600_000));
  assert.equal(shape?.clients, 24);
});

test('where much is going on only some clients are watched, and of these every request', () => {
  const attention = new Attention(createKeyedHash([4, 5]));
  const watched = new Map<string, number>();
  let taken = 0;
  // 5000 requests a second of 500 clients, for 20 seconds.
  for (let i = 0; i < 100_000; i++) {
    const address = `10.0.0.${i % 500}`;
    if (!attention.takes(address, i / 5)) continue;
    if (i >= 50_000) watched.set(address, (watched.get(address) ?? 0) + 1);
    taken += 1;
  }
  assert.ok(taken < 20 * 600 + 2_000, `${taken}`);
  assert.equal(attention.oneIn, attention.oneInAtMost);
  assert.ok(attention.oneIn >= 16);
  const [most = 0] = [...watched.values()].sort((a, b) => b - a);
  assert.equal(most, 100);
  assert.ok(
    [...watched.values()].every((count) => count === most),
    'nothing of them is missed',
  );
  // Night falls: all are watched again.
  for (let second = 21; second < 60; second++) attention.takes('10.0.0.1', second * 1_000);
  assert.equal(attention.oneIn, 1);
  assert.ok(attention.takes('10.0.0.77', 61_000));
});
