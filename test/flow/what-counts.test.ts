import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** A site whose one resource is what the test says, and a proxy that streams it. */
async function setUp(t: TestContext, contentType: string, live: Record<string, unknown>) {
  const site = { body: '' };
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', contentType).end(site.body);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/state': { every: '50ms', vary: [], ...live } },
  });
  /** Another body, and several polls of it. */
  const becomes = async (body: string) => {
    site.body = body;
    const before = upstream.requests.length;
    await until(() => upstream.requests.length >= before + 3);
  };
  return { site, proxy, becomes };
}

test('parts that are ignored push nothing, and come along with a change that counts', async (t) => {
  const { site, proxy, becomes } = await setUp(t, 'application/json', {
    ignore: ['/now', '/aircraft/*/seen'],
  });
  site.body = '{"now":1,"aircraft":[{"hex":"a","seen":1}]}';
  const stream = await openEventStream(t, `${proxy.url}/state`);
  await stream.next();
  await becomes('{"now":2,"aircraft":[{"hex":"a","seen":2}]}');
  const next = '{"now":3,"aircraft":[{"hex":"b","seen":3}]}';
  await becomes(next);
  assert.equal((await stream.next()).data, next, 'the whole body, and nothing before it');
});

test('the order of members is no change, unless bytes are compared', async (t) => {
  const byValue = await setUp(t, 'application/json', {});
  byValue.site.body = '{"a":1,"b":2}';
  const stream = await openEventStream(t, `${byValue.proxy.url}/state`);
  await stream.next();
  await byValue.becomes('{ "b": 2, "a": 1 }');
  await byValue.becomes('{"a":1,"b":3}');
  assert.equal((await stream.next()).data, '{"a":1,"b":3}');

  const byBytes = await setUp(t, 'application/json', { compare: 'bytes' });
  byBytes.site.body = '{"a":1,"b":2}';
  const exact = await openEventStream(t, `${byBytes.proxy.url}/state`);
  await exact.next();
  await byBytes.becomes('{"b":2,"a":1}');
  assert.equal((await exact.next()).data, '{"b":2,"a":1}');
});

test('of a page only what is selected counts', async (t) => {
  const { site, proxy, becomes } = await setUp(t, 'text/html', {
    select: { css: '#rows' },
    ignore: { css: '.age' },
  });
  const page = (time: number, row: string, age: number) =>
    `<p>${time}</p><ul id=rows><li>${row} <i class=age>${age}</i></ul>`;
  site.body = page(1, 'one', 1);
  const stream = await openEventStream(t, `${proxy.url}/state`);
  await stream.next();
  await becomes(page(2, 'one', 2));
  await becomes(page(3, 'two', 3));
  assert.equal((await stream.next()).data, page(3, 'two', 3));
});
