import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Tree } from '../inject/tree.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get } from '../support/raw-answer.ts';
import { until } from '../support/until.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const META = '<meta http-equiv="Refresh" content="5">';
const NAVIGATES = 'Sec-Fetch-Dest: document';

interface LivePage {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  body: string;
  headers: Record<string, string>;
}

/** A site whose page at `/status` is live. */
async function startLivePage(t: TestContext, endpoint: object = {}): Promise<LivePage> {
  const upstream = await startUpstream(t, (req, res) => {
    const { body, headers } = site;
    if (headers['etag'] !== undefined && req.headers['if-none-match'] === headers['etag']) {
      return res.writeHead(304, { etag: headers['etag'] }).end();
    }
    return res.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/status': { every: '1m', vary: [], ...endpoint } },
    inject: ['/**'],
  });
  const site: LivePage = {
    proxy,
    upstream,
    body: `<html><head>${META}<title>1</title></head><body>x</body></html>`,
    headers: {},
  };
  return site;
}

/** The value of an attribute of the first script, as a browser reads it. */
function ofScript({ body }: RawAnswer, name: string): string | undefined {
  return new Tree(body).elements.find((element) => element.name === 'script')?.attributes[name];
}

for (const polls of ['absorb', 'pass']) {
  test(`a page that is live itself says so, and leaves its refreshing to the script (${polls})`, async (t) => {
    const { proxy } = await startLivePage(t, { polls });
    const answer = await ask(t, proxy.port, get('/status?_=1', NAVIGATES));
    assert.equal(answer.isWhole, true);
    assert.equal(ofScript(answer, 'data-page'), answer.values('comet-live')[0]);
    assert.match(ofScript(answer, 'data-page') ?? '', /^"\/status"/);
    assert.match(answer.body, new RegExp(`</script><noscript>${META}</noscript><title>`));
    const isRefreshed = new Tree(answer.body).elements.some(({ name }) => name === 'meta');
    assert.equal(isRefreshed, false);
  });

  test(`a refresh by a header becomes one for browsers without scripts (${polls})`, async (t) => {
    const site = await startLivePage(t, { polls });
    site.headers = { refresh: '30; url=/status' };
    site.body = 'Queue: 17';
    const answer = await ask(t, site.proxy.port, get('/status', NAVIGATES));
    assert.deepEqual(answer.values('refresh'), []);
    assert.equal(ofScript(answer, 'data-refresh'), '30');
    const fallback = '<noscript><meta http-equiv="refresh" content="30; url=/status"></noscript>';
    assert.ok(answer.body.endsWith(`${fallback}Queue: 17`), answer.body);
  });
}

test('a page that is not live goes on to refresh itself', async (t) => {
  const site = await startLivePage(t);
  site.headers = { refresh: '30' };
  const answer = await ask(t, site.proxy.port, get('/other', NAVIGATES));
  assert.deepEqual(answer.values('refresh'), ['30']);
  assert.match(answer.body, new RegExp(`</script>${META}<title>`));
  assert.equal(ofScript(answer, 'data-page'), undefined);
});

test('scripts and programs get the state of a live page as the site sent it', async (t) => {
  const site = await startLivePage(t);
  const page = await ask(t, site.proxy.port, get('/status', NAVIGATES));
  const [etag = ''] = page.values('etag');
  for (const header of ['Sec-Fetch-Dest: empty', 'Accept: */*']) {
    const answer = await ask(t, site.proxy.port, get('/status', header, `If-None-Match: ${etag}`));
    assert.deepEqual([answer.status, answer.body], [200, site.body]);
  }
  assert.equal(site.upstream.count('/status'), 1);
});

test('who has an absorbed page with the script is told so; who has it without is not', async (t) => {
  const site = await startLivePage(t);
  const first = await ask(t, site.proxy.port, get('/status', NAVIGATES));
  const [tag = ''] = first.values('etag');
  assert.match(tag, /^W\/".+~.+"$/);
  const again = await ask(t, site.proxy.port, get('/status', NAVIGATES, `If-None-Match: ${tag}`));
  assert.deepEqual([again.status, again.values('etag'), again.body], [304, [tag], '']);
  const script = await ask(t, site.proxy.port, get('/status', 'Sec-Fetch-Dest: empty'));
  const [plain = ''] = script.values('etag');
  const old = await ask(t, site.proxy.port, get('/status', NAVIGATES, `If-None-Match: ${plain}`));
  assert.deepEqual([old.status, old.body], [200, first.body]);
});

test('a page that is held is told of the next state with the script in it', async (t) => {
  const site = await startLivePage(t, { polls: 'hold', every: '50ms' });
  const first = await ask(t, site.proxy.port, get('/status', NAVIGATES));
  const [tag = ''] = first.values('etag');
  const held = ask(t, site.proxy.port, get('/status', NAVIGATES, `If-None-Match: ${tag}`));
  await until(() => site.upstream.count('/status') > 2);
  site.body = site.body.replace('<title>1', '<title>2');
  const answer = await held;
  assert.equal(answer.status, 200);
  assert.match(answer.body, /<head><script .*<title>2/);
});

test("a client's own page has its ticket, and nobody is told that it is still the same", async (t) => {
  const site = await startLivePage(t, { vary: ['cookie'] });
  site.headers = { etag: '"same"', 'last-modified': 'Sat, 01 Jan 2000 00:00:00 GMT' };
  const page = (cookie: string) =>
    ask(t, site.proxy.port, get('/status', NAVIGATES, `Cookie: S=${cookie}`));
  const [one, other] = [await page('1'), await page('2')];
  const tickets = [one, other].map(
    (answer) => /ticket="([^"]+)"/.exec(ofScript(answer, 'data-page') ?? '')?.[1],
  );
  assert.equal(new Set(tickets).size, 2);
  assert.ok(tickets.every(Boolean));
  for (const { values } of [one, other]) {
    assert.deepEqual([values('etag'), values('last-modified')], [[], []]);
  }
});

test('an absorbed page under a policy that stops the script is what the site sent', async (t) => {
  const site = await startLivePage(t);
  site.headers = { 'content-security-policy': "script-src 'none'", etag: '"x"' };
  const answer = await ask(t, site.proxy.port, get('/status', NAVIGATES));
  assert.deepEqual([answer.body, answer.values('etag')], [site.body, ['"x"']]);
  const again = await ask(t, site.proxy.port, get('/status', NAVIGATES, 'If-None-Match: "x"'));
  assert.equal(again.status, 304);
});

test('an absorbed page with a nonce gives it to the script', async (t) => {
  const site = await startLivePage(t);
  site.headers = { 'content-security-policy': "script-src 'nonce-abc'" };
  const answer = await ask(t, site.proxy.port, get('/status', NAVIGATES));
  assert.equal(ofScript(answer, 'nonce'), 'abc');
});
