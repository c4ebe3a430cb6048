import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

for (const how of ['at once', 'when it is asked'] as const) {
  test(`a server that resets its connections ${how} is passed over, and then left out`, async (t) => {
    const bad = await startRawUpstream(t, (peer) => {
      if (how === 'at once') peer.reset();
      else peer.socket.once('data', () => peer.reset());
    });
    const good = await startUpstream(t, (_req, res) => res.end('good'));
    const proxy = await startTestProxy(t, {
      site: good.url,
      comet: { '/chat/': { origins: [bad.url, good.url], sticky: 'address' } },
    });
    // Whichever of the two this address belongs to, all of them are answered.
    for (let i = 0; i < 6; i++) {
      const answer = await ask(t, proxy.port, get(`/chat/${i}`));
      assert.deepEqual([answer.status, answer.body], [200, 'good']);
    }
    assert.ok(bad.connections.length <= 6, `asked ${bad.connections.length} times`);
  });
}
