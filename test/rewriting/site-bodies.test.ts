import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { exchangeWithSite, firstOutput, through } from './rewritten-site.ts';

const HTML = ['Content-Type', 'text/html; charset=utf-8'];
const GZIP = [...HTML, 'Content-Encoding', 'gzip'];
const PAGE =
  '<meta charset=utf-8><script src="/a.js" integrity="sha256-x"></script>\n' +
  '<script src="https://push.example/bayeux/c.js" integrity="sha256-y"></script>\n' +
  '<p>caf\u00e9 \u{1f600} https://push.example/bayeux/caf\u00e9</p>' +
  '<script>x = {"u":"wss:\\/\\/push.example\\/bayeux"}</script>';
const SEEN =
  '<meta charset=utf-8><script src="/a.js"></script>\n' +
  '<script src="https://shop.example/chat/c.js" integrity="sha256-y"></script>\n' +
  '<p>caf\u00e9 \u{1f600} https://shop.example/chat/caf\u00e9</p>' +
  '<script>x = {"u":"wss:\\/\\/shop.example\\/chat"}</script>';

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
}

for (const size of [1, 2, 7, 64, 10_000]) {
  test(`a page in pieces of ${size} bytes is rewritten`, async () => {
    const { body } = exchangeWithSite({ headers: HTML });
    assert.equal((await through(body, piecesOf(Buffer.from(PAGE), size))).toString(), SEEN);
  });

  test(`a compressed page in pieces of ${size} bytes is rewritten`, async () => {
    const { body } = exchangeWithSite({ headers: GZIP });
    const bytes = await through(body, piecesOf(gzipSync(PAGE), size));
    assert.equal(gunzipSync(bytes).toString(), SEEN);
  });
}

test('hashes stay in what is no page', async () => {
  const { body } = exchangeWithSite({ headers: ['Content-Type', 'text/javascript'] });
  const script = 'x = \'<script src="/a.js" integrity="sha256-x">\' + "//push.example/bayeux"';
  const seen = (await through(body, [Buffer.from(script)])).toString();
  assert.equal(seen, script.replace('push.example/bayeux', 'shop.example/chat'));
});

test('pages without URLs of origins pass byte for byte, also when they are no text', async () => {
  const pages = fc.uint8Array({ maxLength: 500 });
  await fc.assert(
    fc.asyncProperty(
      pages,
      fc.integer({ min: 1, max: 50 }),
      fc.boolean(),
      async (page, size, isGzip) => {
        const { body } = exchangeWithSite({ headers: isGzip ? GZIP : HTML });
        const bytes = Buffer.from(page);
        const seen = await through(body, piecesOf(isGzip ? gzipSync(bytes) : bytes, size));
        assert.deepEqual(isGzip ? gunzipSync(seen) : seen, bytes);
      },
    ),
  );
});

test('an empty page is an empty page', async () => {
  const plain = exchangeWithSite({ headers: HTML }).body;
  assert.equal((await through(plain, [])).length, 0);
  const compressed = exchangeWithSite({ headers: GZIP }).body;
  assert.equal(gunzipSync(await through(compressed, [gzipSync('')])).length, 0);
});

test('a page that says it is compressed and has no bytes at all is an empty page', async () => {
  const { body } = exchangeWithSite({ headers: GZIP });
  const bytes = await through(body, []);
  assert.equal(bytes.length === 0 ? 0 : gunzipSync(bytes).length, 0);
});

test('a compressed page of several members is read to its end', async () => {
  const { body } = exchangeWithSite({ headers: GZIP });
  const [head, tail] = [PAGE.slice(0, 90), PAGE.slice(90)];
  const bytes = await through(body, [Buffer.concat([gzipSync(head), gzipSync(tail)])]);
  assert.equal(gunzipSync(bytes).toString(), SEEN);
});

const BROKEN: Record<string, Buffer> = {
  'no gzip at all': Buffer.from('<p>plain</p>'),
  'cut short': gzipSync(PAGE).subarray(0, 60),
  'with a wrong byte': Buffer.concat([gzipSync(PAGE).subarray(0, -8), Buffer.alloc(8)]),
};
for (const [name, bytes] of Object.entries(BROKEN)) {
  test(`a compressed page that is broken does not end as if it were whole: ${name}`, async () => {
    const { body } = exchangeWithSite({ headers: GZIP });
    await assert.rejects(through(body, [bytes]));
  });
}

test('a part of a page comes out before the next one comes in', async () => {
  const part = '<p>first https://push.example/bayeux/x</p>\n';
  const seen = '<p>first https://shop.example/chat/x</p>\n';
  const plain = await firstOutput(exchangeWithSite({ headers: HTML }).body, Buffer.from(part));
  assert.equal(seen.startsWith(plain.toString()), true);
  assert.match(plain.toString(), /^<p>first/);
});
