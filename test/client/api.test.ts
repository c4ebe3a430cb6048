import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../src/client/api.ts';
import { createApi } from '../../src/client/api.ts';
import { createScene, PROOF_MS } from './scene.ts';

function openScene() {
  const browser = createScene();
  const tab = browser.openTab();
  const events: { readonly type: string; readonly detail: Change & { state: string } }[] = [];
  for (const type of ['comet:state', 'comet:change']) {
    tab.natives.window.addEventListener(type, (event) => events.push(event as never));
  }
  return { ...browser, tab, events, ...createApi(tab.natives) };
}

test('a listener gets the state when it is known, when it is live, and when it changes', async () => {
  const { comet, time, proxy } = openScene();
  const changes: Change[] = [];
  const stop = comet.subscribe('../state', (change) => changes.push(change));
  await time.advance(PROOF_MS);
  proxy.set('/state', '{"n":1}');
  await time.settle();
  assert.deepEqual(
    changes.map(({ url, data, isLive, status }) => [url, data, isLive, status]),
    [
      ['../state', 0, false, 200],
      ['../state', 0, true, 200],
      ['../state', { n: 1 }, true, 200],
    ],
  );
  assert.equal(changes[2]?.text, '{"n":1}');
  stop();
  proxy.set('/state', '2');
  await time.settle();
  assert.equal(changes.length, 3);
});

test('a second listener gets the state that is known, and not within the call', async () => {
  const { comet, time, proxy } = openScene();
  comet.subscribe('/state', () => undefined);
  await time.advance(PROOF_MS);
  const seen: unknown[] = [];
  comet.subscribe('https://site.test/state#part', ({ data }) => seen.push(data));
  assert.deepEqual(seen, []);
  await time.settle();
  assert.deepEqual(seen, [0]);
  assert.equal(proxy.connections.length, 1);
});

test('a listener is told of the end, once', async () => {
  const { comet, time, proxy } = openScene();
  proxy.notLive.add('/none');
  const ends: unknown[] = [];
  comet.subscribe('/none', ({ ended }) => ends.push(ended));
  await time.advance(5_000);
  assert.deepEqual(ends, ['error']);
  assert.equal(comet.state, 'idle');
});

test('the document is told of states and changes', async () => {
  const { comet, time, events } = openScene();
  comet.subscribe('/state', () => undefined);
  await time.advance(PROOF_MS);
  const of = (type: string) => events.filter((event) => event.type === type);
  assert.deepEqual(
    of('comet:state').map(({ detail }) => detail.state),
    ['connecting', 'live'],
  );
  assert.deepEqual(
    of('comet:change').map(({ detail: { url, data, isLive } }) => [url, data, isLive]),
    [
      ['/state', 0, false],
      ['/state', 0, true],
    ],
  );
});

test('what is called JSON and is none is given as text', async () => {
  const { comet, time, proxy } = openScene();
  proxy.set('/state', '{"n":');
  let data: unknown;
  comet.subscribe('/state', (change) => {
    data = change.data;
  });
  await time.advance(PROOF_MS);
  assert.equal(data, '{"n":');
});
