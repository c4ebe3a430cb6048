import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { startUpstream } from '../support/upstream.ts';

const OWN = [
  '/_comet',
  '/_comet?x',
  '/_comet/',
  '/_comet/x',
  '/_comet/x?y=z',
  '/_comet//x',
  '/_comet/../admin',
  '/_comet/%2e%2e/admin',
  '/%5Fcomet/x',
  '/%5fcomet',
  '/%5F%63%6F%6D%65%74/x',
  '/_comet%2Fx',
  '/%5f%63%6f%6d%65%74%2fx',
  'http://site.test/_comet/x',
  'http://site.test/%5Fcomet/x',
];

for (const target of OWN) {
  test(`what is under our own path never reaches the site: ${target}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => res.end('ok'));
    const proxy = await startTestProxy(t, { site: upstream.url });
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const request = get(target, 'Content-Length: 0').replace('GET', method);
      const answer = await ask(t, proxy.port, request);
      assert.equal(answer.status, 404, method);
      assert.match(answer.body, /^NOT_FOUND: /);
    }
    assert.deepEqual(upstream.requests, []);
  });
}
