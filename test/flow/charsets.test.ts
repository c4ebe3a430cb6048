import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';
import { openBodies } from './socket-client.ts';

const PAGE = '<html><head><meta charset="iso-8859-1"></head><p>caf\u00e9 \u20ac</p></html>';
const XML = '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00fcber</a>';
/** windows-1252 has the euro where ISO-8859-1 has nothing. */
const bytesOf = (text: string) => Buffer.from(text.replaceAll('\u20ac', '\u0080'), 'latin1');

const STATES: [rule: string, type: string, body: Buffer, text: string][] = [
  ['by the header', 'text/plain; charset=iso-8859-1', bytesOf('na\u00efve'), 'na\u00efve'],
  ['by what a page says of itself', 'text/html', bytesOf(PAGE), PAGE],
  ['by what a document of XML says of itself', 'text/xml', bytesOf(XML), XML],
  [
    'of two bytes a letter',
    'text/plain; charset=utf-16le',
    Buffer.from('\u00e9\u4e2d', 'utf16le'),
    '\u00e9\u4e2d',
  ],
];
for (const [rule, type, body, text] of STATES) {
  test(`text in another charset is told in UTF-8: ${rule}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.setHeader('content-type', type).end(body);
    });
    const live = { '/x': { every: '1h', vary: [] } };
    const { url } = await startTestProxy(t, { site: upstream.url, live });
    const bare = await openEventStream(t, `${url}/x`);
    assert.equal((await bare.next()).data, text);
    const lines = await openLines(t, `${url}/_comet/stream?url=/x`);
    const told = await lines.next();
    assert.equal(told['data'], text);
    assert.match(String(told['contentType']), /charset=utf-8$/);
    assert.equal(told['encoding'], undefined);
    const socket = await openBodies(t, `${url}/x`);
    const message = await socket.next();
    assert.deepEqual([message.isBinary, message.bytes.toString()], [false, text]);
    const plain = await fetch(`${url}/x`);
    assert.deepEqual(Buffer.from(await plain.arrayBuffer()), body, 'the bytes of the site');
    assert.equal(plain.headers.get('content-type'), type);
  });
}

test('JSON in another charset is told as JSON', async (t) => {
  const type = 'application/json; charset=iso-8859-1';
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', type).end(bytesOf('{"name":"caf\u00e9"}'));
  });
  const live = { '/x': { every: '1h', vary: [] } };
  const { url } = await startTestProxy(t, { site: upstream.url, live });
  const lines = await openLines(t, `${url}/_comet/stream?url=/x`);
  assert.deepEqual((await lines.next())['data'], { name: 'caf\u00e9' });
});
