import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { skipWithout } from '../support/browsers.ts';
import { until } from '../support/until.ts';
import { fayeScript, pageWith, socketIoScript } from './pages.ts';
import { startScene } from './scene.ts';
import { openFaye } from './servers/faye.ts';
import type { CometOrigin } from './servers/origin.ts';
import { openSocketIo } from './servers/socket-io.ts';
import { assertNamesItself, talk } from './story.ts';
import { openChromium, originsOf, visit } from './visit.ts';

/** Pages that name the other host wherever they can, and know of no proxy. */
interface Case {
  readonly name: string;
  readonly open: (t: TestContext) => Promise<CometOrigin>;
  readonly pageOf: (origin: string) => Record<string, string>;
  readonly mount: string;
  /** Of the mount, at the Comet server. */
  readonly path: string;
  readonly ways: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'socket.io, mounted at its own path, whose script names no path',
    open: (t) => openSocketIo(t, '/socket.io'),
    pageOf: (origin) =>
      pageWith(socketIoScript(origin, {}), new URL('/socket.io/socket.io.js', origin)),
    mount: '/socket.io/',
    path: '/socket.io/',
    ways: ['GET client', 'GET polling', 'GET websocket upgrade websocket', 'POST polling'],
  },
  {
    name: 'Faye, mounted at another path',
    open: (t) => openFaye(t, '/faye'),
    pageOf: (origin) =>
      pageWith(fayeScript(`${origin}/faye`, []), new URL('/faye/client.js', origin)),
    mount: '/svc/faye/',
    path: '/faye/',
    ways: ['push by websocket', 'say by websocket'],
  },
];

const options = { skip: skipWithout('chromium'), timeout: 600_000 };

test('an untouched page that names another host', options, async (t) => {
  const browser = await openChromium(t);
  for (const { name, open, pageOf, mount, path, ways } of CASES) {
    await t.test(`${name}: works, and that host is not asked`, async (t) => {
      const origin = await open(t);
      const comet = { [mount]: { origin: origin.origin + path, rewriteUrls: true } };
      const scene = await startScene(t, pageOf(origin.origin), comet);
      const visited = await visit(t, browser, scene.url);
      await talk('websocket', origin, visited, 'word');
      assert.deepEqual(await visited.page.evaluate('seen'), ['word']);
      assert.deepEqual(origin.told, ['word']);
      assert.deepEqual(origin.ways(), ways);
      assert.deepEqual(visited.errors, []);
      assert.deepEqual(originsOf(visited.urls), [scene.url]);
      assertNamesItself(origin);
    });
  }
});

test('without a mount, the same page', options, async (t) => {
  const browser = await openChromium(t, 'reachable');
  for (const { name, open, pageOf } of CASES) {
    await t.test(`${name}: asks the other host, as the network log shows`, async (t) => {
      const origin = await open(t);
      const scene = await startScene(t, pageOf(origin.origin), {});
      const visited = await visit(t, browser, scene.url);
      await until(() => origin.requests.some(({ headers }) => headers.origin === scene.url));
      assert.deepEqual(originsOf(visited.urls), [origin.origin, scene.url].sort());
    });
  }

  await t.test('its WebSockets are in that log as well', async (t) => {
    const origin = await openFaye(t, '/faye');
    const script = fayeScript(`${origin.origin}/faye`, []);
    const library = new URL('/faye/client.js', origin.origin);
    const scene = await startScene(t, pageWith(script, library), {});
    const visited = await visit(t, browser, scene.url);
    await talk('websocket', origin, visited, 'word');
    assert.ok(visited.urls.includes(`${origin.origin.replace('http', 'ws')}/faye`));
  });
});
