import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { BARE_SSE, type Client } from './clients.ts';
import type { Reader } from './reader.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import type { Site } from './site.ts';
import { openSite } from './site.ts';

const NO_CURSORS = 'without ids there is nothing to resume from';
const ONE_URL = "a stream on an endpoint's own URL is of that URL";

/** A site with a number at `/api/x`, and somebody who sees every one of its states. */
async function witnessed(t: TestContext): Promise<Site & { witness: Reader }> {
  const site = await openSite(t);
  site.putJson('/api/x', 0);
  const witness = read(t, BARE_SSE, site, { '/api/x': undefined });
  await witness.next();
  return { ...site, witness };
}

/** Let the number become these, one after the other; gives the id of each. */
async function pass(site: Site & { witness: Reader }, values: readonly number[]) {
  const ids: string[] = [];
  for (const value of values) {
    site.putJson('/api/x', value);
    const { data, id } = await site.witness.next();
    assert.equal(data, value);
    ids.push(id ?? '');
  }
  return ids;
}

/** Which events there are, and in which order. */
export function testEvents(client: Client): void {
  const rule = rulesOf(client);
  const url = client.isShared ? '/api/x' : undefined;

  rule('the snapshot comes first', async (t) => {
    const site = await witnessed(t);
    await pass(site, [1, 2]);
    const first = await read(t, client, site, { '/api/x': undefined }).next();
    assert.deepEqual([first.event, first.data, first.url], ['snapshot', 2, url]);
    if (client.hasCursors) assert.match(first.id ?? '', /^[A-Za-z0-9_.~-]{1,128}$/);
    else assert.equal(first.id, undefined);
  });

  rule('what only defeats caches is not part of the address', async (t) => {
    const site = await witnessed(t);
    const reader = read(t, client, site, { '/api/x?_=123': undefined });
    const { data, url: told } = await reader.next();
    assert.deepEqual([data, told], [0, url]);
    await pass(site, [1]);
    assert.equal((await reader.next()).data, 1);
    assert.ok(site.upstream.requests.every((request) => request.url === '/api/x'));
  });

  rule('changes come in order, none missing, none twice', async (t) => {
    const site = await witnessed(t);
    const reader = read(t, client, site, { '/api/x': undefined });
    assert.equal((await reader.next()).data, 0);
    const values = Array.from({ length: 20 }, (_, i) => i + 1);
    // At the pace of the witness: who asks again and again is often between two answers.
    const ids = await pass(site, values);
    for (const _ of values) await reader.next();
    const seen = reader.events.slice(1);
    assert.deepEqual(
      seen.map(({ data }) => data),
      values,
    );
    assert.ok(seen.every((told) => told.event === 'snapshot' && told.url === url));
    if (client.hasCursors)
      assert.deepEqual(
        seen.map(({ id }) => id),
        ids,
      );
  });

  rule(
    'who resumes from a known cursor gets what came after it',
    async (t) => {
      const site = await witnessed(t);
      const [, since] = await pass(site, [1, 2, 3, 4]);
      const reader = read(t, client, site, { '/api/x': since });
      const told = [await reader.next(), await reader.next()];
      assert.deepEqual(
        told.map(({ data }) => data),
        [3, 4],
      );
      await pass(site, [5]);
      assert.equal((await reader.next()).data, 5);
    },
    !client.hasCursors && NO_CURSORS,
  );

  rule(
    'who resumes with the newest state gets nothing before the next change',
    async (t) => {
      const site = await witnessed(t);
      const [since] = await pass(site, [1]);
      const reader = read(t, client, site, { '/api/x': since });
      // Some polls of the site: whatever would be told in error has its time.
      const polls = site.upstream.requests.length;
      while (site.upstream.requests.length < polls + 3) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await pass(site, [2]);
      const { event, data } = await reader.next();
      assert.deepEqual([event, data], ['snapshot', 2]);
    },
    !client.hasCursors && NO_CURSORS,
  );

  for (const cursor of ['never-given-1', 'not a cursor!', '~stale~stale', 'x'.repeat(129)]) {
    rule(
      `the cursor "${cursor.slice(0, 20)}", which nobody gave, gets a snapshot`,
      async (t) => {
        const site = await witnessed(t);
        await pass(site, [1]);
        const { event, data } = await read(t, client, site, { '/api/x': cursor }).next();
        assert.deepEqual([event, data], ['snapshot', 1]);
      },
      !client.hasCursors && NO_CURSORS,
    );
  }

  if (client.transport === 'multipart') {
    rule('two URLs in one stream are refused', async (t) => {
      const site = await witnessed(t);
      const reader = read(t, client, site, { '/api/x': undefined, '/api/y': undefined });
      const { status, text = '' } = await reader.ended;
      assert.equal(status, 400);
      assert.match(text, /^BAD_PARAMETER: /);
    });
    return;
  }

  rule(
    'of several URLs in one stream each is told under its own',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/a?n=1', 'a1');
      site.putJson('/api/b', 'b1');
      const reader = read(t, client, site, { '/api/a?n=1': undefined, '/api/b': undefined });
      const told = [await reader.next(), await reader.next()];
      assert.deepEqual(told.map(({ url, data }) => `${url} ${data}`).sort(), [
        '/api/a?n=1 a1',
        '/api/b b1',
      ]);
      site.putJson('/api/b', 'b2');
      const second = await reader.next();
      assert.deepEqual([second.url, second.data], ['/api/b', 'b2']);
      site.putJson('/api/a?n=1', 'a2');
      const first = await reader.next();
      assert.deepEqual([first.url, first.data], ['/api/a?n=1', 'a2']);
    },
    !client.isShared && ONE_URL,
  );

  rule(
    'of several URLs in one stream each is resumed by its own cursor',
    async (t) => {
      const site = await openSite(t);
      const urls = ['/api/a', '/api/b', '/api/c'] as const;
      for (const path of urls) site.putJson(path, `${path} old`);
      const wanted = Object.fromEntries(urls.map((path) => [path, undefined]));
      const before = read(t, client, site, wanted);
      const old = [await before.next(), await before.next(), await before.next()];
      for (const path of ['/api/a', '/api/c']) {
        site.putJson(path, `${path} new`);
        assert.equal((await before.next()).data, `${path} new`);
      }
      const idOf = (path: string) => old.find((told) => told.url === path)?.id;
      const since = { '/api/a': idOf('/api/a'), '/api/b': idOf('/api/b'), '/api/c': undefined };
      const after = read(t, client, site, since);
      const told = [await after.next(), await after.next()];
      assert.deepEqual(told.map(({ data }) => data).sort(), ['/api/a new', '/api/c new']);
      site.putJson('/api/b', '/api/b new');
      assert.equal((await after.next()).data, '/api/b new');
    },
    !client.isShared && ONE_URL,
  );
}
