import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

for (const lines of [['X-Tenant'], ['Accept-Encoding', 'X-Tenant'], ['accept-encoding, *']]) {
  test(`Vary in ${lines.length} lines, ${lines}: no client gets another's answer`, async (t) => {
    const upstream = await startUpstream(t, (req, res) =>
      res.setHeader('vary', lines).end(String(req.headers['x-tenant'])),
    );
    const live = { '/x': { every: '1m', vary: [] } };
    const proxy = await startTestProxy(t, { site: upstream.url, live });
    for (const tenant of ['red', 'blue', 'red']) {
      const response = await fetch(`${proxy.url}/x`, { headers: { 'x-tenant': tenant } });
      assert.equal(await response.text(), tenant);
    }
  });
}

for (const [name, value, reason] of [
  ['vary', 'X-Tenant', 'vary'],
  ['vary', 'accept-encoding, *', 'vary'],
  ['cache-control', 'max-age=0, private', 'cache-control'],
  ['cache-control', 'no-store', 'cache-control'],
  ['cache-control', 'private;max-age=0', 'cache-control'],
  ['cache-control', 'Private max-age=0', 'cache-control'],
  ['cache-control', 'private=""', 'cache-control'],
] as const) {
  test(`"${name}: ${value}": streams are told that the answer is meant for one client`, async (t) => {
    let answers = 0;
    const upstream = await startUpstream(t, (_req, res) => {
      answers += 1;
      // Not at first: those who stream already must lose what they share.
      if (answers > 1) res.setHeader(name, value);
      res.setHeader('content-type', 'application/json').end(String(answers));
    });
    const live = { '/x': { every: '50ms', vary: [] } };
    const proxy = await startTestProxy(t, { site: upstream.url, live });
    const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
    assert.equal((await lines.next())['data'], 1);
    const last = await lines.next();
    assert.deepEqual([last['event'], last['data']], ['personal', { status: 200, reason }]);
    await lines.ended;
    const late = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
    assert.equal((await late.next())['event'], 'personal', 'nothing of it was kept');
  });
}
