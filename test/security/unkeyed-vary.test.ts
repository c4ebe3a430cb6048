import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
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
