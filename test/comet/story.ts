import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { holds } from '../browser/site.ts';
import { until } from '../support/until.ts';
import type { Scene } from './scene.ts';
import { SITE_COOKIE, startScene } from './scene.ts';
import type { CometOrigin } from './servers/origin.ts';
import { ORIGIN_COOKIE, ORIGIN_PATH } from './servers/origin.ts';
import type { Visit } from './visit.ts';
import { originsOf, SITE_HOST, visit } from './visit.ts';

/** A page of the legacy site and a Comet server, which are together for as long as they are shown. */
export interface Story {
  readonly open: (t: TestContext) => Promise<CometOrigin>;
  /** What the site serves. */
  readonly files: Readonly<Record<string, string>>;
  /** The name that the client has for the transport that it uses. */
  readonly transport: string;
  /** All the ways in which it comes to the server. */
  readonly ways: readonly string[];
  /** URL of the request by which a client begins anew. Default: any, since one was cut. */
  readonly beginsBy?: RegExp;
  /** Messages reach the client that are pushed while there is no proxy. */
  readonly keeps?: boolean;
}

/** Where the Comet server is under the site's own origin. */
const MOUNT = '/push/';

/** Play it, through a restart of the proxy, and see that nothing is wrong. */
export async function play(t: TestContext, browser: Browser, story: Story): Promise<void> {
  const origin = await story.open(t);
  const scene = await startScene(t, story.files, { [MOUNT]: origin.origin + ORIGIN_PATH });
  const visited = await visit(t, browser, scene.url);

  await talk(story.transport, origin, visited, 'first');

  await scene.stop();
  if (story.keeps) await origin.push('between');
  const beginnings = () => origin.requests.filter(({ url }) => story.beginsBy?.test(url) ?? true);
  const before = beginnings().length;
  await scene.start();
  // Nobody says anything yet: the client comes by itself.
  await until(() => beginnings().length > before);
  await talk(story.transport, origin, visited, 'again');

  const pushed = ['first', ...(story.keeps ? ['between'] : []), 'again'];
  assert.deepEqual(await visited.page.evaluate('seen'), pushed);
  assert.deepEqual(origin.told, ['first', 'again']);
  assert.deepEqual(origin.ways(), story.ways);
  assert.deepEqual(visited.errors, []);
  assert.deepEqual(originsOf(visited.urls), [scene.url]);
  await assertCookiesApart(scene, origin, visited);
  assertNamesItself(origin);
}

/** Say a word in both directions, by this transport. */
export async function talk(
  transport: string,
  origin: CometOrigin,
  { page }: Visit,
  word: string,
): Promise<void> {
  await holds(page, `isOpen() && transport() === ${JSON.stringify(transport)}`);
  const before = origin.requests.length;
  await page.evaluate(`say(${JSON.stringify(word)})`);
  await until(() => origin.told.includes(word));
  await origin.push(word);
  await holds(page, `seen.includes(${JSON.stringify(word)})`);
  assert.equal(await page.evaluate('transport()'), transport);
  if (/^websocket$/i.test(transport)) {
    assert.equal(origin.requests.length, before, 'it has come by more than its WebSocket');
  }
}

/** Neither server is shown what the other one keeps in the browser. */
async function assertCookiesApart(scene: Scene, origin: CometOrigin, { page, cookies }: Visit) {
  await page.evaluate(`fetch('/index.html').then((answer) => answer.text())`);
  const sent = (server: { requests: CometOrigin['requests'] }) =>
    server.requests.flatMap(({ headers }) => headers.cookie?.split('; ') ?? []);
  const toOrigin = sent(origin);
  assert.deepEqual([...new Set(sent(scene.site))], [SITE_COOKIE]);
  assert.ok(toOrigin.includes(ORIGIN_COOKIE), 'the Comet server has its own cookie back');
  assert.ok(!toOrigin.includes(SITE_COOKIE), "the Comet server has the site's cookie");

  const stored = await cookies();
  for (const { name, value, path, domain } of stored) {
    const cookie = `${name}=${value}`;
    assert.equal(domain, SITE_HOST, cookie);
    if (cookie === SITE_COOKIE) continue;
    assert.ok(`${path}/`.startsWith(MOUNT), `${cookie} for ${path}`);
    assert.ok(!toOrigin.includes(cookie), `${cookie} is not what the Comet server calls it`);
  }
  assert.ok(stored.some(({ name, value }) => `${name}=${value}` === SITE_COOKIE));
}

/** The Comet server is spoken to as if it were alone, and is told who has been asked. */
export function assertNamesItself({ origin, requests }: CometOrigin): void {
  const { host } = new URL(origin);
  for (const { method, url, headers } of requests) {
    const request = `${method} ${url}`;
    assert.equal(headers.host, host, request);
    assert.ok([undefined, origin].includes(headers.origin), `${request}: ${headers.origin}`);
    const referer = headers.referer && new URL(headers.referer).origin;
    assert.ok([undefined, origin].includes(referer), `${request}: ${headers.referer}`);
    assert.match(String(headers['x-forwarded-host']), /^site\.test:\d+$/, request);
  }
  assert.ok(
    requests.some(({ headers }) => headers.origin || headers.referer),
    'nothing is known about origins',
  );
}
