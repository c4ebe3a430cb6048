import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { buildSync } from 'esbuild';
import type { Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Colour, Format } from './pictures.ts';
import { picture } from './pictures.ts';

const RED: Colour = [255, 0, 0];
const GREEN: Colour = [0, 255, 0];
const BLUE: Colour = [0, 0, 255];

/**
 * The script with a proxy of the test's own: `live` are its states by path, `asked` what was learned of,
 * `load` sets a `src` and tells what came of it and what is then shown.
 */
const [BUNDLE] = buildSync({
  stdin: {
    contents: `
      import { createImages } from './images.ts';
      import { stateBlob } from './state-blob.ts';
      Object.assign(window, { live: {}, asked: [], made: new Set(), events: [] });
      const { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = (blob) => { const url = createObjectURL(blob); made.add(url); return url; };
      URL.revokeObjectURL = (url) => { made.delete(url); revokeObjectURL(url); };
      createImages({
        addressOf: (url) => url.replace(/[?&]_=[^&]*/, ''),
        learn: (url, answer) => {
          asked.push(url.replace(location.origin, ''));
          setTimeout(() => answer(live[new URL(url).pathname]));
        },
        blobOf: stateBlob,
      });
      window.shown = (img) => {
        const canvas = document.createElement('canvas');
        const context = canvas.getContext('2d');
        context.drawImage(img, 0, 0);
        return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join();
      };
      window.load = (img, src) => new Promise((done) => {
        img.onload = () => { events.push('load'); done(shown(img)); };
        img.onerror = () => { events.push('error'); done('error'); };
        if (src !== undefined) img.src = src;
      }).then(async (colour) => { await new Promise((done) => setTimeout(done)); return colour; });
    `,
    resolveDir: new URL('../../src/client', import.meta.url).pathname,
    loader: 'js',
  },
  bundle: true,
  write: false,
  format: 'iife',
  target: 'es2017',
}).outputFiles;

interface Scene {
  readonly page: Page;
  readonly site: Upstream;
  /** Evaluate, waiting for what is promised. */
  ask(expression: string): Promise<unknown>;
  /** The proxy has this state of a path now. */
  push(path: string, colour: Colour, isLive?: boolean, format?: Format): Promise<void>;
  /** Load images twice, and so have the path learned. */
  begin(path: string): Promise<void>;
}

/** A page whose images come red from the network, and in other colours from the proxy. */
async function open(t: TestContext, page: Page, policy = ''): Promise<Scene> {
  const site = await startUpstream(t, (req, res) => {
    if (req.url === '/') {
      const headers = { 'content-type': 'text/html', 'content-security-policy': policy };
      res.writeHead(200, headers).end('<!doctype html><title>t</title><body></body>');
    } else if (req.url?.startsWith('/missing')) {
      res.writeHead(404).end();
    } else {
      const { type, body } = picture('png', RED);
      res.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    }
  });
  await page.goto(site.url);
  await page.evaluate(BUNDLE?.text ?? '');
  let id = 0;
  const ask = (expression: string) => page.evaluate(expression);
  return {
    page,
    site,
    ask,
    async push(path, colour, isLive = true, format = 'png') {
      const { type, body } = picture(format, colour);
      id += 1;
      const isBase64 = format !== 'svg';
      const data = isBase64 ? (body as Buffer).toString('base64') : body;
      const state = { id: `e-${id}`, status: 200, contentType: type, headers: {}, data, isBase64 };
      await ask(`live['${path}'] = Object.assign(live['${path}'] ?? { leave() {} },
        { state: ${JSON.stringify(state)}, isLive: ${isLive}, lastWord: undefined })`);
    },
    async begin(path) {
      for (const query of ['?_=a', '?_=b']) {
        assert.equal(await ask(`load(new Image(), '${path}${query}')`), String(RED));
      }
    },
  };
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: images that are loaded again are taken from the stream`, options, async (t) => {
    const browser = await openBrowser(t, name);
    const tab = await browser.newPage();

    await t.test(
      'the first two loads go to the network, the next ones have the newest state',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab);
        await push('/camera', GREEN);
        await begin('/camera');
        assert.deepEqual(await ask('asked'), ['/camera?_=b']);
        assert.equal(await ask(`load(window.img = new Image(), '/camera?_=3')`), String(GREEN));
        await push('/camera', BLUE);
        assert.equal(await ask(`load(img, '/camera?_=4')`), String(BLUE));
        assert.equal(await ask(`load(img, '/camera?_=4')`), String(BLUE));
        assert.deepEqual(await ask('events'), ['load', 'load', 'load', 'load', 'load']);
        assert.deepEqual(await ask('asked'), ['/camera?_=b']);
        assert.equal(site.count('/camera'), 2);
      },
    );

    await t.test('the page reads what it has written', async (t) => {
      const { site, ask, push, begin } = await open(t, tab);
      await push('/camera', GREEN);
      await begin('/camera');
      await ask(`load(window.img = new Image(), 'camera?_=3')`);
      await ask(`load(img, '/camera?_=4')`);
      assert.deepEqual(await ask('[img.src, img.getAttribute("src")]'), [
        `${site.url}/camera?_=4`,
        '/camera?_=4',
      ]);
      await ask('img.removeAttribute("src")');
      assert.deepEqual(await ask('[img.src, img.getAttribute("src")]'), ['', null]);
      await ask(`load(img, '/camera?_=5')`);
      await ask(`load(img, '/other')`);
      assert.deepEqual(await ask('[img.src, img.getAttribute("src")]'), [
        `${site.url}/other`,
        '/other',
      ]);
    });

    await t.test(
      'attributes are set the same way, and other elements and attributes as ever',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab);
        await push('/camera', GREEN);
        await begin('/camera');
        await ask(
          `window.img = new Image(); window.loaded = load(img); img.setAttribute('SRC', '/camera?_=3')`,
        );
        assert.equal(await ask('loaded'), String(GREEN));
        await ask(
          `img.setAttribute('alt', 'x'); window.frame = document.createElement('iframe'); frame.setAttribute('src', '/camera?_=4')`,
        );
        assert.deepEqual(
          await ask('[img.alt, img.getAttribute("alt"), frame.getAttribute("src")]'),
          ['x', 'x', '/camera?_=4'],
        );
        assert.equal(site.count('/camera'), 2);
      },
    );

    await t.test('drawings are shown in their type', async (t) => {
      const { ask, push, begin } = await open(t, tab);
      await push('/chart', GREEN, true, 'svg');
      await begin('/chart');
      assert.equal(await ask(`load(new Image(), '/chart?_=3')`), String(GREEN));
    });

    await t.test('what is not live is asked for once and left alone', async (t) => {
      const { site, ask } = await open(t, tab);
      for (const query of [1, 2, 3, 4]) await ask(`load(new Image(), '/plain?_=${query}')`);
      assert.deepEqual(await ask('asked'), ['/plain?_=2']);
      assert.equal(site.count('/plain'), 4);
      assert.equal(await ask(`Object.keys(new Image()).length + made.size`), 0);
    });

    await t.test('other origins, data and images with a set are left alone', async (t) => {
      const { site, ask, push, begin } = await open(t, tab);
      await push('/camera', GREEN);
      await begin('/camera');
      const other = site.url.replace('127.0.0.1', 'localhost');
      for (const _ of [1, 2, 3]) {
        await ask(
          `new Promise((done) => { const img = new Image(); img.onload = img.onerror = done; img.src = '${other}/camera' }).then(() => 1)`,
        );
        await ask(`load(new Image(), 'data:image/gif;base64,R0lGODlhAQABAAAAACw=')`);
      }
      assert.deepEqual(await ask('asked'), ['/camera?_=b']);
      await ask(`window.img = new Image(); img.srcset = '/set.png 1x'; load(img, '/camera?_=9')`);
      assert.equal(await ask('img.getAttribute("src")'), '/camera?_=9');
      assert.equal(await ask('made.size'), 0);
    });

    await t.test(
      'addresses of one path are told apart, and each is asked for at its second load',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab);
        await push('/camera', GREEN);
        await begin('/camera');
        for (const query of [1, 2, 3]) await ask(`load(new Image(), '/camera?id=2&_=${query}')`);
        assert.deepEqual(await ask('asked'), ['/camera?_=b', '/camera?id=2&_=2']);
        assert.equal(site.count('/camera'), 4);
      },
    );

    await t.test(
      'a path with a query that is new each time is not learned of again and again',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab);
        await push('/camera', GREEN);
        await begin('/camera');
        await ask(
          `(async () => { for (let n = 0; n < 150; n++) await load(new Image(), '/camera?now=' + n); })()`,
        );
        assert.deepEqual(await ask('asked'), ['/camera?_=b']);
        assert.equal(site.count('/camera'), 152);
      },
    );

    await t.test(
      'while the stream is not live loads go to the network, and afterwards they do not',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab);
        await push('/camera', GREEN);
        await begin('/camera');
        await push('/camera', GREEN, false);
        assert.equal(await ask(`load(new Image(), '/camera?_=3')`), String(RED));
        await push('/camera', BLUE);
        assert.equal(await ask(`load(new Image(), '/camera?_=4')`), String(BLUE));
        assert.equal(site.count('/camera'), 3);
      },
    );

    await t.test('after the last word an address is learned of again', async (t) => {
      const { ask, push, begin } = await open(t, tab);
      await push('/camera', GREEN);
      await begin('/camera');
      await ask(`Object.assign(live['/camera'], { isLive: false, lastWord: { event: 'unauthorized', reason: 'ticket' } });
        live['/camera'] = undefined; load(new Image(), '/camera?_=3')`);
      await push('/camera', BLUE);
      assert.equal(await ask(`load(new Image(), '/camera?_=4')`), String(RED));
      assert.equal(await ask(`load(new Image(), '/camera?_=5')`), String(BLUE));
      assert.deepEqual(await ask('asked'), ['/camera?_=b', '/camera?_=4']);
    });

    await t.test('states that are past are let go', async (t) => {
      const { ask, push, begin } = await open(t, tab);
      await push('/camera', GREEN);
      await begin('/camera');
      for (let count = 0; count < 10; count += 1) {
        await push('/camera', count % 2 ? GREEN : BLUE);
        await ask(`load(new Image(), '/camera?_=${count}')`);
      }
      assert.equal(await ask('made.size'), 2);
    });

    await t.test(
      'a policy without blob: has all go to the network, and the page hears of no error',
      async (t) => {
        const { site, ask, push, begin } = await open(t, tab, "img-src 'self'");
        await push('/camera', GREEN);
        await begin('/camera');
        assert.equal(await ask(`load(window.img = new Image(), '/camera?_=3')`), String(RED));
        assert.equal(await ask('img.src'), `${site.url}/camera?_=3`);
        assert.equal(await ask(`load(img, '/camera?_=4')`), String(RED));
        assert.deepEqual(await ask('events'), ['load', 'load', 'load', 'load']);
        assert.equal(site.count('/camera'), 4);
        assert.equal(await ask('made.size'), 1);
      },
    );

    await t.test('an error of the network is heard of', async (t) => {
      const { ask } = await open(t, tab);
      for (const query of [1, 2, 3]) {
        assert.equal(await ask(`load(new Image(), '/missing?_=${query}')`), 'error');
      }
    });
  });
}
