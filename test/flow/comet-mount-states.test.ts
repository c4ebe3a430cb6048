import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEventStream } from '../support/stream-client.ts';
import { startRewrittenSite } from './comet-mount-pages.ts';
import { startStates } from './states-site.ts';

test('states that are pushed name the mount, as pages do', async (t) => {
  const state = '{"u":"https:\\/\\/push.example\\/bayeux\\/x","n":1}';
  const site = await startStates(t, { '/api/x': state });
  const live = { '/api/x': { every: '50ms', vary: [] } };
  const proxy = await startRewrittenSite(t, site.url, { live });
  const seen = `{"u":"http:\\/\\/127.0.0.1:${proxy.port}\\/chat\\/x","n":1}`;
  const stream = await openEventStream(t, `${proxy.url}/api/x`);
  assert.equal((await stream.next()).data, seen);
  site.set('/api/x', state.replace('1}', '2}'));
  assert.equal((await stream.next()).data, seen.replace('1}', '2}'));
  // Whoever asks meanwhile gets the same.
  assert.equal(await (await fetch(`${proxy.url}/api/x`)).text(), seen.replace('1}', '2}'));
});

test('states are pushed to each client under the name that it uses', async (t) => {
  const site = await startStates(t, { '/api/x': '{"u":"//push.example/bayeux/x"}' });
  const proxy = await startRewrittenSite(t, site.url, {
    live: { '/api/x': { every: '1m', vary: [] } },
  });
  for (const host of ['one.test', 'two.test:81']) {
    const stream = await openEventStream(t, `${proxy.url}/api/x`, { host });
    assert.equal((await stream.next()).data, `{"u":"//${host}/chat/x"}`);
  }
});
