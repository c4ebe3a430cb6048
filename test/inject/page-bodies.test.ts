import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { firstOutput, through } from '../rewriting/rewritten-site.ts';
import { injectionOf, visit } from './page-visit.ts';

const HTML = ['Content-Type', 'text/html'];
const TAGS =
  '<script src="/_comet/client.js?v=0123456789"></script>' +
  '<script nomodule src="/_comet/client.es5.js?v=0123456789"></script>';
const PAGE = '<!DOCTYPE html><html><head><title>x</title></head><body>y</body></html>';
const CHANGED = PAGE.replace('<head>', `<head>${TAGS}`);

async function sentBody(headers: readonly string[], pieces: readonly Buffer[]): Promise<Buffer> {
  return through(visit({ headers }).body, pieces);
}

test('a page gets the tags', async () => {
  assert.equal(String(await sentBody(HTML, [Buffer.from(PAGE)])), CHANGED);
});

test('a compressed page is compressed again', async () => {
  const headers = [...HTML, 'Content-Encoding', 'gzip'];
  const body = gzipSync(PAGE);
  const seen = await sentBody(headers, [body.subarray(0, 20), body.subarray(20)]);
  assert.equal(String(gunzipSync(seen)), CHANGED);
  assert.equal(visit({ headers }).header('content-encoding'), 'gzip');
});

test('a compressed page without a byte stays empty', async () => {
  const seen = await sentBody([...HTML, 'Content-Encoding', 'gzip'], []);
  assert.equal(seen.length === 0 ? '' : String(gunzipSync(seen)), '');
});

test('a page is shown in pieces, up to what may be the place', async () => {
  const text = '<!-- a long comment that is shown at once';
  assert.equal(String(await firstOutput(visit({ headers: HTML }).body, Buffer.from(text))), text);
});

const CHARSETS: Record<string, Buffer> = {
  'iso-8859-1': Buffer.from(PAGE.replace('y', 'caf\xe9 \x80\xff'), 'latin1'),
  'windows-1251': Buffer.from([...Buffer.from(PAGE), 0xcf, 0xf0, 0xe8]),
  shift_jis: Buffer.concat([
    Buffer.from('<html><!-- '),
    Buffer.from([0x83, 0x5c, 0x95, 0x5c]),
    Buffer.from(' --><head>'),
  ]),
  'utf-8': Buffer.from(PAGE.replace('y', 'naïve – 日本 🙂')),
};
for (const [charset, page] of Object.entries(CHARSETS)) {
  test(`the bytes of ${charset} stay`, async () => {
    const at = page.indexOf('<head>') + '<head>'.length;
    const pieces = Array.from(page, (_, i) => page.subarray(i, i + 1));
    const seen = await sentBody(['Content-Type', `text/html; charset=${charset}`], pieces);
    const wanted = Buffer.concat([page.subarray(0, at), Buffer.from(TAGS), page.subarray(at)]);
    assert.deepEqual(seen, wanted);
  });
}

test('a byte order mark stays first', async () => {
  const seen = await sentBody(HTML, [Buffer.from('\ufeff<p>x')]);
  assert.equal(String(seen), `\ufeff${TAGS}<p>x`);
});

test('a page that is something else than its head said stays as it is', async () => {
  const noise = brotliCompressSync(PAGE);
  assert.deepEqual(await sentBody(HTML, [noise]), noise);
});

test('a body that is not compressed as its head said breaks, as it would in a browser', async () => {
  const headers = [...HTML, 'Content-Encoding', 'gzip'];
  await assert.rejects(sentBody(headers, [Buffer.from(PAGE)]));
});

test('a page without a place in its first two megabytes stays as it is', async () => {
  const long = Buffer.from(`<!--${' '.repeat(2 * 1_024 * 1_024)}--><html><head><title>x</title>`);
  const pieces = Array.from({ length: 40 }, (_, i) => long.subarray(i * 65_536, (i + 1) * 65_536));
  assert.deepEqual(await sentBody(HTML, pieces), long);
  assert.deepEqual(await sentBody(HTML, [long]), long);
});

test('it is known afterwards what became of a page', async () => {
  const told = injectionOf();
  await through(visit({ headers: HTML, target: '/page?x' }, told).body, [Buffer.from(PAGE)]);
  await through(visit({ headers: HTML, target: '/text' }, told).body, [Buffer.from('OK')]);
  assert.deepEqual(told.injection.explain('/page'), {
    injected: 'yes',
    reason: 'the path matches "/**"',
  });
  assert.deepEqual(told.injection.explain('/text'), {
    injected: 'no',
    reason: 'what the site sent does not begin as a page does',
  });
  assert.deepEqual(told.lines, []);
});
