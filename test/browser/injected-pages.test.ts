import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Middle } from './middle.ts';
import { startMiddle } from './middle.ts';
import { holds, openPage } from './site.ts';

/*
 * Pages as the site has them; all that is done to them the proxy does.
 */

const POLL = `function poll() {
  var xhr = new XMLHttpRequest();
  xhr.onload = function () { document.getElementById('n').textContent = JSON.parse(xhr.responseText).n; };
  xhr.open('GET', '/state?_=' + Math.random());
  xhr.send();
}
poll();
setInterval(poll, 400);`;

interface Made {
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

const NONCE = 'bm9uY2Ux';
/** Pages whose own script polls. */
const PAGES: Readonly<Record<string, Made>> = {
  '/plain': { body: `<html><head><title>x</title></head><body><p id="n"><script>${POLL}</script>` },
  '/bare': { body: `<title>x</title><p id="n"></p><script>${POLL}</script>` },
  '/self': {
    headers: { 'content-security-policy': "default-src 'self'" },
    body: '<!doctype html><head><title>x</title></head><p id="n"></p><script src="/poll.js"></script>',
  },
  '/nonce': {
    headers: {
      'content-security-policy': `script-src 'nonce-${NONCE}' 'strict-dynamic'; object-src 'none'`,
    },
    body: `<!doctype html><head></head><p id="n"></p><script nonce="${NONCE}">${POLL}</script>`,
  },
  '/gzip': {
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync(`<!doctype html><html><head></head><p id="n"></p><script>${POLL}</script>`),
  },
  '/xhtml': {
    type: 'application/xhtml+xml',
    body: `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body><p id="n"></p><script>//<![CDATA[
${POLL}
//]]></script></body></html>`,
  },
  '/latin': {
    type: 'text/html; charset=iso-8859-1',
    body: Buffer.from(
      `<!doctype html><html><head><title>fa\xe7ade</title></head><p id="n"></p><script>${POLL}</script>`,
      'latin1',
    ),
  },
};

interface Scene {
  readonly middle: Middle;
  readonly set: (n: number) => void;
}

async function startScene(t: TestContext): Promise<Scene> {
  let n = 0;
  const upstream = await startUpstream(t, (req, res) => {
    const path = req.url?.split('?')[0] ?? '';
    const page = Object.hasOwn(PAGES, path) ? PAGES[path] : undefined;
    if (page) {
      const type = page.type ?? 'text/html; charset=utf-8';
      return void res.writeHead(200, { 'content-type': type, ...page.headers }).end(page.body);
    }
    res.setHeader('content-type', 'text/html; charset=utf-8');
    switch (path) {
      case '/poll.js':
        return res.setHeader('content-type', 'text/javascript').end(POLL);
      case '/state':
        return res.setHeader('content-type', 'application/json').end(JSON.stringify({ n }));
      case '/camera.svg':
        return res.setHeader('content-type', 'image/svg+xml').end(pictureOf(n));
      case '/camera':
        return res.end(`<img id="shown"><script>
          setInterval(function () { document.getElementById('shown').src = '/camera.svg?' + Date.now(); }, 400);
        </script>`);
      case '/frames':
        return res.end(
          '<!doctype html><html><head></head><frameset cols="50%,50%"><frame src="/plain"><frame src="/self"></frameset></html>',
        );
      case '/header':
        res.setHeader('refresh', '1');
        return res.end(board(n, ''));
      case '/meta':
        return res.end(board(n, '<META HTTP-EQUIV=Refresh CONTENT=1>'));
      case '/reload':
        return res.end(board(n, '<script>setTimeout("location.reload()", 1000)</script>'));
      default:
        return res.writeHead(404).end();
    }
  });
  const every = { every: '100ms', linger: '60s' };
  const live = {
    '/state': every,
    '/camera.svg': { ...every, vary: [], ignoreQuery: ['*'] },
    '/header': every,
    '/meta': every,
    '/reload': every,
  };
  const proxy = await startTestProxy(t, { site: upstream.url, live, inject: ['/**'] });
  const middle = await startMiddle(t, proxy.port);
  return {
    middle,
    set: (next) => {
      n = next;
    },
  };
}

/** A picture that is so wide. */
function pictureOf(n: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${10 + n}" height="10"></svg>`;
}

/** A page that loads itself again and again. */
function board(n: number, head: string): string {
  const rows = Array.from({ length: 80 }, (_, i) => `<tr><td>${i}<td>${i === 3 ? n : 'same'}</tr>`);
  return `<!doctype html><html><head><title>${n}</title>${head}</head><body><p id="n">${n}</p>
<form><input id="text" name="text"></form><details id="menu"><summary>m</summary>x</details>
<table>${rows.join('\n')}</table></body></html>`;
}

async function isQuiet(page: Page, middle: Middle, path: string): Promise<number> {
  await holds(page, "comet.state === 'live'");
  for (let before = -1; ; ) {
    const polls = middle.count(path);
    if (polls === before) return polls;
    before = polls;
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1300))');
  }
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: pages get the script by one line of config`, options, async (t) => {
    const browser = await openBrowser(t, name);

    for (const path of Object.keys(PAGES)) {
      await t.test(`${path} follows the site without a poll on the wire`, async (t) => {
        const { middle, set } = await startScene(t);
        const page = await openPage(t, browser, `${middle.url}${path}`);
        const polls = await isQuiet(page, middle, '/state');
        for (const n of [1, 2]) {
          set(n);
          await holds(page, `document.getElementById('n').textContent === '${n}'`);
        }
        assert.equal(middle.count('/state'), polls);
      });
    }

    await t.test('frames follow it each', async (t) => {
      const { middle, set } = await startScene(t);
      const page = await openPage(t, browser, `${middle.url}/frames`);
      await holds(page, "[0, 1].every((i) => frames[i].comet && frames[i].comet.state === 'live')");
      set(5);
      const shown = (i: number) => `frames[${i}].document.getElementById('n').textContent === '5'`;
      await holds(page, `${shown(0)} && ${shown(1)}`);
    });

    await t.test('an image that is loaded again and again is loaded no more', async (t) => {
      const { middle, set } = await startScene(t);
      const page = await openPage(t, browser, `${middle.url}/camera`);
      const loads = await isQuiet(page, middle, '/camera.svg');
      set(1);
      await holds(page, "document.getElementById('shown').naturalWidth === 11");
      set(2);
      await holds(page, "document.getElementById('shown').naturalWidth === 12");
      assert.equal(middle.count('/camera.svg'), loads);
    });

    for (const path of ['/header', '/meta', '/reload']) {
      await t.test(`${path}: a page that reloads itself is changed in place`, async (t) => {
        const { middle, set } = await startScene(t);
        const page = await openPage(t, browser, `${middle.url}${path}`);
        await isQuiet(page, middle, path);
        await page.type('#text', 'typed');
        await page.evaluate('window.same = true; menu.open = true');
        // Firefox may still be on its way to the field that was typed in.
        await page.evaluate('window.calm = 0');
        await holds(page, 'scrollY === 150 ? ++calm > 10 : (scrollTo(0, 150), calm = 0, false)');
        const loads = middle.count(path);
        for (const n of [1, 2]) {
          set(n);
          await holds(page, `document.getElementById('n').textContent === '${n}'`);
        }
        assert.deepEqual(
          await page.evaluate(
            '[window.same, document.title, document.getElementById("text").value, menu.open, document.activeElement.id, Math.round(scrollY)]',
          ),
          [true, '2', 'typed', true, 'text', 150],
        );
        assert.equal(middle.count(path), loads);
      });
    }
  });
}
