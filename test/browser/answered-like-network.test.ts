import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startUpstream } from '../support/upstream.ts';
import { holds } from './site.ts';

/*
 * A request that is answered from the stream must look to its page as one of the network did. So
 * each is sent twice, once before and once after the page is live, and what it did is compared.
 */

const BODIES: Readonly<Record<string, { type: string; body: string | Buffer }>> = {
  '/json': { type: 'application/json', body: '{"é":"😀","n":[1.0,12345678901234567890]}' },
  '/text': { type: 'text/plain; charset=utf-8', body: '\ufeffa\r\nb\u2028c' },
  '/latin': { type: 'text/plain; charset=iso-8859-1', body: Buffer.from('fa\xe7ade', 'latin1') },
  '/xml': { type: 'text/xml', body: '<?xml version="1.0"?><graphs><e p="1"/></graphs>' },
  '/rss': { type: 'application/rss+xml', body: '<rss><item>é</item></rss>' },
  '/broken': { type: 'text/xml', body: '<graphs><e>' },
  '/html': { type: 'text/html', body: '<p>a<b>c' },
  '/bytes': { type: 'application/octet-stream', body: Buffer.from([0, 255, 128, 10, 13]) },
  '/empty': { type: 'text/plain', body: '' },
};

/** In the page: send one, and write down all that can be seen of it. */
const RECORD = `
  function record(path, options) {
    options = options || {};
    return new Promise(function (resolve) {
      var xhr = new XMLHttpRequest();
      var seen = [];
      var read = function (name) {
        try {
          var value = xhr[name];
          if (value instanceof Document) return 'document ' + new XMLSerializer().serializeToString(value);
          if (value instanceof ArrayBuffer) return 'buffer ' + new Uint8Array(value).join();
          if (value instanceof Blob) return 'blob ' + value.size + ' ' + value.type;
          return typeof value + ' ' + JSON.stringify(value);
        } catch (error) { return error.name; }
      };
      var note = function (event) {
        var state = {};
        ['readyState', 'status', 'statusText', 'responseURL', 'responseText', 'response', 'responseXML', 'timeout', 'withCredentials'].forEach(function (name) { state[name] = read(name); });
        // Firefox keeps some of it after an abort.
        var isAborted = options.abortAt !== undefined || options.abortSoon;
        if (isAborted) delete state.responseURL;
        state.type = isAborted ? '' : xhr.getResponseHeader('Content-Type');
        state.none = xhr.getResponseHeader('x-none');
        state.hasAll = /^content-type: /m.test(xhr.getAllResponseHeaders());
        seen.push([event.type, event instanceof ProgressEvent, event.target === xhr, event.currentTarget === xhr, event.type === 'readystatechange' ? '' : event.loaded > 0, state]);
        if (options.abortAt === xhr.readyState && event.type === 'readystatechange') { options.abortAt = 0; xhr.abort(); }
      };
      // Of one that was aborted Chromium tells of progress after its end; browsers differ in when
      // they tell of none.
      (options.abortAt || path === '/empty' ? [] : ['progress']).concat('readystatechange', 'loadstart', 'load', 'error', 'abort', 'timeout', 'loadend').forEach(function (type) {
        xhr.addEventListener(type, note);
        xhr['on' + type] = function () { seen.push(['on' + type, this === xhr]); };
      });
      xhr.open('GET', path);
      if (options.type) xhr.responseType = options.type;
      xhr.timeout = 60000;
      xhr.addEventListener('loadend', function () { setTimeout(function () { note({ type: 'after' }); resolve(seen); }, 50); });
      xhr.send();
      seen.push('sent');
      if (options.abortSoon) xhr.abort();
    });
  }
  async function recordFetch(path) {
    var answer = await fetch(path);
    var copy = answer.clone();
    return {
      ok: answer.ok, status: answer.status, statusText: answer.statusText, url: answer.url, type: answer.type,
      redirected: answer.redirected, kind: answer.headers.get('content-type'), used: answer.bodyUsed,
      text: await answer.text(), after: answer.bodyUsed, bytes: Array.from(new Uint8Array(await copy.arrayBuffer())),
      tag: Object.prototype.toString.call(answer),
    };
  }
`;

/** The page without the script, and the one with it, which follows all of the paths. */
async function openPages(t: TestContext, browser: Browser): Promise<[Page, Page]> {
  const upstream = await startUpstream(t, (req, res) => {
    const path = req.url?.split('?')[0] ?? '';
    const found = BODIES[path];
    if (found) return void res.setHeader('content-type', found.type).end(found.body);
    const head = path === '/page/plain' ? '' : '<script src="/_comet/client.js"></script>';
    const page = `<!doctype html>${head}<script>${RECORD}</script>`;
    res.setHeader('content-type', 'text/html').end(page);
  });
  const live = { '/:any': { every: '50ms', linger: '60s' } };
  const proxy = await startTestProxy(t, { site: upstream.url, live, inject: ['/**'] });
  const plain = await browser.newPage();
  const scripted = await browser.newPage();
  await plain.goto(`${proxy.url}/page/plain`);
  await scripted.goto(`${proxy.url}/page/scripted`);
  for (const path of Object.keys(BODIES)) {
    await scripted.evaluate(`record('${path}')`);
    await scripted.evaluate(`fetch('${path}')`);
  }
  await holds(scripted, "comet.state === 'live'");
  return [plain, scripted];
}

/** How many requests for a path the page has sent over the network. */
const sent = (path: string) =>
  `performance.getEntriesByType('resource').filter((entry) => new URL(entry.name).pathname === '${path}').length`;

/** What a request does when it is answered from the stream. */
async function answered(page: Page, path: string, run: string): Promise<unknown> {
  for (;;) {
    const before = await page.evaluate(sent(path));
    const seen = await page.evaluate(run);
    // It may not have had its state yet.
    if ((await page.evaluate(sent(path))) === before) return seen;
  }
}

const CASES: readonly [rule: string, path: string, options: object][] = [
  ...Object.keys(BODIES)
    .filter((path) => path !== '/bytes')
    .map((path): [string, string, object] => [path, path, {}]),
  ...['text', 'json', 'document', 'arraybuffer', 'blob'].flatMap((type) =>
    ['/json', '/xml', '/broken'].map((path): [string, string, object] => [
      `${path} as ${type}`,
      path,
      { type },
    ]),
  ),
  ['/bytes as arraybuffer', '/bytes', { type: 'arraybuffer' }],
  ['/bytes as blob', '/bytes', { type: 'blob' }],
  ['aborted at once', '/json', { abortSoon: true }],
  ['aborted in 2', '/json', { abortAt: 2 }],
  ['aborted in 3', '/json', { abortAt: 3 }],
];

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: what is answered looks as what the network brings`, options, async (t) => {
    const browser = await openBrowser(t, name);
    const [plain, scripted] = await openPages(t, browser);

    for (const [rule, path, how] of CASES) {
      await t.test(`XMLHttpRequest: ${rule}`, async () => {
        const run = `record(${JSON.stringify(path)}, ${JSON.stringify(how)})`;
        const expected = await plain.evaluate(run);
        assert.deepEqual(await answered(scripted, path, run), expected);
      });
    }

    for (const path of Object.keys(BODIES).filter((path) => path !== '/latin')) {
      await t.test(`fetch: ${path}`, async () => {
        const run = `recordFetch('${path}')`;
        const expected = await plain.evaluate(run);
        assert.deepEqual(await answered(scripted, path, run), expected);
      });
    }

    await t.test('what cannot be told exactly goes to the network', async () => {
      const odd = [
        `record('/bytes')`,
        `record('/latin', { type: 'arraybuffer' })`,
        `recordFetch('/latin')`,
      ];
      for (const run of odd) {
        const path = run.includes('bytes') ? '/bytes' : '/latin';
        const before = Number(await scripted.evaluate(sent(path)));
        assert.deepEqual(await scripted.evaluate(run), await plain.evaluate(run));
        assert.equal(await scripted.evaluate(sent(path)), before + 1);
      }
    });
  });
}
