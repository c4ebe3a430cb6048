import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

interface Line {
  readonly url: string;
  readonly id: string;
  readonly event: string;
  readonly data: number;
}

async function scene(t: TestContext, endpoint: Record<string, unknown> = {}) {
  const state = { value: 0 };
  const upstream = await startUpstream(t, (_req, res) =>
    res.setHeader('content-type', 'application/json').end(String(state.value)),
  );
  const live = { '/api/:n': { every: '50ms', vary: [], ...endpoint } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  return { state, upstream, proxy, url: `${proxy.url}/api/x` };
}

/** Let the state go through these values, seen by somebody who stays. */
async function pass(
  t: TestContext,
  { state, url }: { state: { value: number }; url: string },
  values: readonly number[],
): Promise<string[]> {
  const witness = await openEventStream(t, url);
  await witness.next();
  const ids: string[] = [];
  for (const value of values) {
    state.value = value;
    ids.push((await witness.next()).id ?? '');
  }
  return ids;
}

test('a known cursor in Last-Event-ID resumes after it, without loss or repetition', async (t) => {
  const stage = await scene(t);
  const ids = await pass(t, stage, [1, 2, 3]);
  const back = await openEventStream(t, stage.url, { 'last-event-id': ids[0] ?? '' });
  assert.deepEqual([(await back.next()).data, (await back.next()).data], ['2', '3']);
});

test('who has the newest state already is sent nothing until it changes', async (t) => {
  const stage = await scene(t);
  const ids = await pass(t, stage, [1]);
  const back = await openEventStream(t, stage.url, { 'last-event-id': ids[0] ?? '' });
  stage.state.value = 2;
  assert.equal((await back.next()).data, '2');
});

for (const cursor of ['0-1', 'nonsense!', '', '%00', 'x'.repeat(10_000)]) {
  test(`the cursor "${cursor.slice(0, 12)}", which nobody gave, gets a snapshot`, async (t) => {
    const stage = await scene(t);
    await pass(t, stage, [1]);
    const since = encodeURIComponent(cursor.slice(0, 1_000));
    const url = `${stage.proxy.url}/_comet/stream?url=/api/x&since=${since}`;
    const lines = await openLines<Line>(t, url, { 'last-event-id': cursor });
    assert.equal((await lines.next()).data, 1);
  });
}

test('a cursor older than the history gets a snapshot', async (t) => {
  const stage = await scene(t, { history: 1 });
  const ids = await pass(t, stage, [1, 2, 3]);
  const back = await openEventStream(t, stage.url, { 'last-event-id': ids[0] ?? '' });
  assert.equal((await back.next()).data, '3');
});

test('each url of a stream resumes by the since that follows it', async (t) => {
  const { proxy, state } = await scene(t);
  const all = `${proxy.url}/_comet/stream?url=/api/a&url=/api/b`;
  const first = await openLines<Line>(t, all);
  const start = [await first.next(), await first.next()];
  state.value = 1;
  await first.next();
  await first.next();
  const idOf = (url: string) => start.find((line) => line.url === url)?.id ?? '';
  const again = await openLines<Line>(
    t,
    `${proxy.url}/_comet/stream?url=/api/a&since=${idOf('/api/a')}&url=/api/b`,
  );
  const lines = [await again.next(), await again.next()];
  assert.deepEqual(lines.map(({ url, data }) => `${url} ${data}`).sort(), ['/api/a 1', '/api/b 1']);
});

test('an id of one channel is never taken for one of another', async (t) => {
  const { proxy, state } = await scene(t);
  const a = await openEventStream(t, `${proxy.url}/api/a`);
  const cursor = (await a.next()).id ?? '';
  state.value = 0;
  const b = await openEventStream(t, `${proxy.url}/api/b`, { 'last-event-id': cursor });
  assert.equal((await b.next()).data, '0', 'a snapshot, though the bodies are alike');
});

test('within the rest after linger a subscriber that comes back resumes', async (t) => {
  const { proxy, url, state } = await scene(t, { linger: '0s' });
  const first = await openEventStream(t, url);
  const { id = '' } = await first.next();
  first.close();
  while (proxy.streamCount > 0) await new Promise((resolve) => setImmediate(resolve));
  const back = await openEventStream(t, url, { 'last-event-id': id });
  state.value = 5;
  assert.equal((await back.next()).data, '5');
  assert.equal(back.items.length, 1, 'the state it had was not sent again');
});
