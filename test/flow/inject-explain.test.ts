import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { explainConfig } from '../../src/explain-config.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { startUpstream } from '../support/upstream.ts';

const TOKEN = 'a-token-of-the-test';

test('a running proxy tells which pages got the script, and why others did not', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    const policy = req.url === '/strict' ? "script-src 'none'" : "script-src 'self'";
    res.writeHead(200, { 'content-type': 'text/html', 'content-security-policy': policy });
    res.end('<html><head>');
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    inject: ['/**'],
    comet: { '/push/': 'http://127.0.0.1:4000/' },
    admin: { address: '127.0.0.1:0', token: TOKEN },
  });
  const explain = async (url: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ url });
    const answer = await fetch(`${proxy.adminUrl}/_comet/explain`, {
      method: 'POST',
      headers,
      body,
    });
    return ((await answer.json()) as Explanation).inject;
  };
  assert.equal((await explain('/page'))?.injected, 'unknown');
  for (const path of ['/page', '/strict', '/strict']) {
    await ask(t, proxy.port, get(path, 'Sec-Fetch-Dest: document'));
  }
  assert.deepEqual(await explain('/page?x=1'), {
    injected: 'yes',
    reason: 'the path matches "/**"',
  });
  const strict = await explain('/strict');
  assert.equal(strict?.injected, 'no');
  assert.match(strict?.reason ?? '', /script-src/);
  assert.equal(await explain('/push/x'), undefined);
  const told = proxy.lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(
    told.map(({ fields }) => fields),
    [{ inject: '/**', url: '/strict' }],
  );
});

test('a config alone tells which pages are meant', () => {
  const inject = (keys: object, target: string) => {
    const config = checkConfig({ site: 'http://127.0.0.1:3000', ...keys }, 'test');
    return explainConfig(config, { target, method: 'GET', headers: [] }).inject;
  };
  const app = { inject: ['/app/**'], live: { '/app/status': '1s' } };
  const meant = { injected: 'unknown', reason: 'the path matches "/app/**"' };
  assert.deepEqual(inject(app, '/app/x'), meant);
  assert.deepEqual(inject(app, '/app/status'), meant);
  assert.equal(inject(app, '/other')?.injected, 'no');
  assert.equal(inject(app, '/_comet/sse'), undefined);
  assert.equal(inject({}, '/app/x'), undefined);
});
