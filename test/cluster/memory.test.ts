import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryBackplane } from '../../src/cluster/memory.ts';
import { testBackplane } from '../contract/backplane.ts';

testBackplane('memory', () => {
  const backplane = createMemoryBackplane();
  return async (t) => {
    t.after(() => backplane.close());
    return backplane;
  };
});

test('epochs differ from those of a process that started a millisecond before', async () => {
  const epochs = new Set<string | undefined>();
  for (const startedAt of [1_000, 1_001]) {
    const backplane = createMemoryBackplane(startedAt);
    for (let i = 0; i < 100; i++) epochs.add((await backplane.acquire(`c${i}`))?.epoch);
    await backplane.close();
  }
  assert.equal(epochs.size, 200);
});

test('epochs are unique across channels', async (t) => {
  const backplane = createMemoryBackplane();
  t.after(() => backplane.close());
  const [a, b] = [await backplane.acquire('a'), await backplane.acquire('b')];
  assert.notEqual(a?.epoch, b?.epoch);
});
