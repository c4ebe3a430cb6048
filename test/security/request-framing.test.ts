import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get, parseAnswer, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

const POST = 'POST /x HTTP/1.1\r\nHost: a\r\n';
const CHUNKS = '3\r\nabc\r\n0\r\n\r\n';
const TE = 'Transfer-Encoding';

const CASES: readonly (readonly [name: string, request: string, statuses: readonly number[]])[] = [
  ['a coding before chunked', `${POST}${TE}: gzip, chunked\r\n\r\n${CHUNKS}`, [501]],
  ['identity', `${POST}${TE}: identity\r\n\r\n${CHUNKS}`, [400, 501]],
  ['chunked, identity', `${POST}${TE}: chunked, identity\r\n\r\n${CHUNKS}`, [400, 501]],
  ['xchunked', `${POST}${TE}: xchunked\r\n\r\n${CHUNKS}`, [400, 501]],
  ['chunked twice', `${POST}${TE}: chunked\r\n${TE}: chunked\r\n\r\n${CHUNKS}`, [400, 501]],
  ['chunked, chunked', `${POST}${TE}: chunked, chunked\r\n\r\n${CHUNKS}`, [400, 501]],
  ['quoted', `${POST}${TE}: "chunked"\r\n\r\n${CHUNKS}`, [400, 501]],
  ['with a parameter', `${POST}${TE}: chunked;a=b\r\n\r\n${CHUNKS}`, [400, 501]],
  ['a vertical tab', `${POST}${TE}: \x0bchunked\r\n\r\n${CHUNKS}`, [400, 501]],
  ['folded', `${POST}${TE}:\r\n chunked\r\n\r\n${CHUNKS}`, [400]],
  ['a space before the colon', `${POST}${TE} : chunked\r\n\r\n${CHUNKS}`, [400]],
  ['empty', `${POST}${TE}:\r\n\r\n${CHUNKS}`, [400, 501]],
  [
    'chunks in HTTP/1.0',
    `POST /x HTTP/1.0\r\nHost: a\r\n${TE}: chunked\r\n\r\n${CHUNKS}`,
    [400, 501],
  ],
  ['length and chunks', `${POST}Content-Length: 3\r\n${TE}: chunked\r\n\r\n${CHUNKS}`, [400]],
  ['chunks and length', `${POST}${TE}: chunked\r\nContent-Length: 3\r\n\r\n${CHUNKS}`, [400]],
  ['two lengths', `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, [400]],
  ['the same length twice', `${POST}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, [400]],
  ['a list of lengths', `${POST}Content-Length: 3, 3\r\n\r\nabc`, [400]],
  ['a signed length', `${POST}Content-Length: +3\r\n\r\nabc`, [400]],
  ['a hexadecimal length', `${POST}Content-Length: 0x3\r\n\r\nabc`, [400]],
  ['a line feed alone', 'GET / HTTP/1.1\nHost: a\n\n', [400]],
  ['NUL in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', [400]],
  ['a carriage return in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n', [400]],
  ['a name with a space', 'GET / HTTP/1.1\r\nHost: a\r\nX y: b\r\n\r\n', [400]],
  ['no colon', 'GET / HTTP/1.1\r\nHost: a\r\nXy\r\n\r\n', [400]],
];

for (const [name, request, statuses] of CASES) {
  test(`doubtful framing never reaches the site: ${name}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => res.end('ok'));
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(request + get('/second'));
    await client.closed;
    const answer = parseAnswer(client.received);
    assert.ok(answer && statuses.includes(answer.status), client.received);
    assert.match(answer.body, /^(?:BAD_REQUEST|BAD_TRANSFER_ENCODING): /);
    assert.equal(answer.rest, '', 'one answer, and what follows is not read');
    assert.deepEqual(upstream.requests, []);
  });
}

const BAD_CHUNKS = ['zz\r\n', '0x3\r\nabc\r\n', '3\r\nabcd\r\n', '-1\r\n', '3\nabc\r\n'];

for (const chunk of BAD_CHUNKS) {
  test(`a chunk that is none ends the upload: ${JSON.stringify(chunk)}`, async (t) => {
    let outcome = '';
    const upstream = await startUpstream(t, (req) => {
      req.on('error', () => undefined);
      req.on('end', () => {
        outcome = 'whole';
      });
      req.resume();
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(`${POST}${TE}: chunked\r\n\r\n3\r\nabc\r\n`);
    client.send(chunk);
    client.send(`0\r\n\r\n${get('/second')}`);
    await client.closed;
    assert.equal(parseAnswer(client.received)?.status, 400);
    assert.equal(outcome, '');
    assert.equal(upstream.count('/second'), 0);
  });
}

test('a malformed request does not write into the answer before it', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-length': '1000' });
    res.write('begin');
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/long'));
  await client.receive('begin');
  client.send('GARBAGE\r\n\r\n');
  await client.closed;
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['begin', false]);
});
