import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { scriptSite } from './script-site.ts';

const FILES = ['client.js', 'client.es5.js'];

for (const name of FILES) {
  test(`/_comet/${name} is what the build has made`, async (t) => {
    const { proxy } = await scriptSite(t);
    const answer = await fetch(`${proxy.url}/_comet/${name}`);
    const built = readFileSync(new URL(`../../dist/client/${name}`, import.meta.url));
    assert.equal(await answer.text(), built.toString());
    assert.equal(answer.headers.get('content-type'), 'text/javascript; charset=utf-8');
    assert.equal(answer.headers.get('cache-control'), 'no-cache');
    assert.equal(answer.headers.get('content-encoding'), 'gzip');
  });
}

test('a file that is known is not sent again', async (t) => {
  const { proxy } = await scriptSite(t);
  const url = `${proxy.url}/_comet/client.js`;
  const etag = (await fetch(url)).headers.get('etag') ?? '';
  const again = await fetch(url, { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, again.headers.get('etag')], [304, etag]);
});

test('with the version of its bytes a file is kept for ever, with another one it is not', async (t) => {
  const { proxy } = await scriptSite(t);
  const all = createHash('sha256');
  const directory = new URL('../../dist/client/', import.meta.url);
  const names = readdirSync(directory).filter((name) => name.endsWith('.js'));
  for (const name of names.sort()) all.update(readFileSync(new URL(name, directory)));
  const version = all.digest('hex').slice(0, 10);
  const cached = async (v: string) =>
    (await fetch(`${proxy.url}/_comet/client.js?v=${v}`)).headers.get('cache-control');
  assert.equal(await cached(version), 'public, max-age=31536000, immutable');
  assert.equal(await cached('0123456789'), 'no-cache');
});

test('a file can only be read', async (t) => {
  const { proxy } = await scriptSite(t);
  const ask = (method: string, name = 'client.js') =>
    fetch(`${proxy.url}/_comet/${name}`, { method });
  assert.equal((await ask('POST')).status, 405);
  const head = await ask('HEAD');
  assert.deepEqual([head.status, await head.text()], [200, '']);
  assert.equal((await ask('GET', '..%2fpackage.json')).status, 404);
});

test('what is loaded before each page is small', () => {
  const size = (name: string) =>
    readFileSync(new URL(`../../dist/client/${name}`, import.meta.url)).length;
  assert.ok(size('client.js') <= 12 * 1_024, `client.js has ${size('client.js')} bytes`);
  assert.ok(
    size('client.es5.js') <= 14 * 1_024,
    `client.es5.js has ${size('client.es5.js')} bytes`,
  );
});
