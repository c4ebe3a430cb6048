import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const TE = 'Transfer-Encoding';
const CHUNKS = '3\r\nabc\r\n0\r\n\r\n';
const HEAD = 'HEAD /odd HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST /odd HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';

/** Answers from which nobody can tell what they mean, or where they end. */
const INVALID: readonly (readonly [name: string, answer: string, request?: string])[] = [
  ['a status below 100', 'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['a status of zero', 'HTTP/1.1 000 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['a status of four digits', 'HTTP/1.1 1000 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 Odd\r\nContent-Length: 0\r\n\r\n'],
  ['a negative status', 'HTTP/1.1 -200 Odd\r\nContent-Length: 0\r\n\r\n'],
  [
    'a 101 that nobody asked for',
    'HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n',
  ],
  ['a bare 101', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ['a coding that is not chunks', `${OK}${TE}: gzip\r\n\r\nabc`],
  ['that coding, asked by HEAD', `${OK}${TE}: gzip\r\n\r\n`, HEAD],
  ['a coding beside chunks', `${OK}${TE}: gzip, chunked\r\n\r\n${CHUNKS}`],
  ['a coding in a line of its own', `${OK}${TE}: gzip\r\n${TE}: chunked\r\n\r\n${CHUNKS}`],
  ['identity', `${OK}${TE}: identity\r\n\r\nabc`],
  ['chunks of chunks', `${OK}${TE}: chunked, chunked\r\n\r\n${CHUNKS}`],
  ['chunks in two lines', `${OK}${TE}: chunked\r\n${TE}: chunked\r\n\r\n${CHUNKS}`],
  ['chunks with a parameter', `${OK}${TE}: chunked;a=b\r\n\r\n${CHUNKS}`],
  ['xchunked', `${OK}${TE}: xchunked\r\n\r\n${CHUNKS}`],
  ['no coding', `${OK}${TE}:\r\n\r\n${CHUNKS}`],
  ['length and chunks', `${OK}Content-Length: 3\r\n${TE}: chunked\r\n\r\n${CHUNKS}`],
  ['chunks and length', `${OK}${TE}: chunked\r\nContent-Length: 3\r\n\r\n${CHUNKS}`],
  ['two lengths', `${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`],
  ['the same length twice', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
  ['a list of lengths', `${OK}Content-Length: 3, 3\r\n\r\nabc`],
  ['a signed length', `${OK}Content-Length: +3\r\n\r\nabc`],
  ['a negative length', `${OK}Content-Length: -3\r\n\r\nabc`],
  ['a hexadecimal length', `${OK}Content-Length: 0x3\r\n\r\nabc`],
  ['a length of too many digits', `${OK}Content-Length: 99999999999999999999\r\n\r\nabc`],
  ['an empty length', `${OK}Content-Length:\r\n\r\nabc`],
  ['NUL in a value', `${OK}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`],
  ['a control character in a value', `${OK}X-A: a\x01b\r\nContent-Length: 0\r\n\r\n`],
  ['DEL in a value', `${OK}X-A: a\x7fb\r\nContent-Length: 0\r\n\r\n`],
  ['a carriage return in a value', `${OK}X-A: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n`],
  ['a line feed in a value', `${OK}X-A: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n`],
  ['a folded header', `${OK}X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
  ['a folded first header', `${OK} X-A: a\r\nContent-Length: 0\r\n\r\n`],
  ['a space before the colon', `${OK}X-A : a\r\nContent-Length: 0\r\n\r\n`],
  ['a space within a name', `${OK}X A: a\r\nContent-Length: 0\r\n\r\n`],
  ['an empty name', `${OK}: a\r\nContent-Length: 0\r\n\r\n`],
  ['a name that is no token', `${OK}X(A): a\r\nContent-Length: 0\r\n\r\n`],
  ['a name beyond ASCII', `${OK}X-\xe9: a\r\nContent-Length: 0\r\n\r\n`],
  ['no colon', `${OK}X-A\r\nContent-Length: 0\r\n\r\n`],
  ['a value of 70 KiB', `${OK}X-A: ${'x'.repeat(70 * 1_024)}\r\nContent-Length: 0\r\n\r\n`],
  ['a name of 70 KiB', `${OK}${'x'.repeat(70 * 1_024)}: a\r\nContent-Length: 0\r\n\r\n`],
  ['headers of 70 KiB', `${OK}${'X-A: b\r\n'.repeat(20 * 1_024)}Content-Length: 0\r\n\r\n`],
  ['HTTP/0.9', '<html>hello</html>'],
  ['ICY', 'ICY 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x46'],
  ['a frame of HTTP/2', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80'],
  ['a request', get('/')],
  ['nothing but lines', '\r\n\r\n\r\n\r\nHello\r\n'],
  ['zeros', '\0'.repeat(500)],
  ['garbage to a POST', 'nonsense\r\n\r\n', POST],
];

for (const [name, bytes, request = get('/odd')] of INVALID) {
  test(`an answer that cannot be trusted is a 502, and its connection ends: ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.on('data', () => {
        const isOdd = peer.received.includes('/odd');
        peer.send(isOdd ? bytes : 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine');
      });
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, request);
    assert.equal(answer.status, 502);
    assert.equal(answer.rest, '');
    if (!request.startsWith('HEAD')) assert.match(answer.body, /^UPSTREAM_(?:INVALID|RESET): /);
    await upstream.connections[0]?.closed;

    const warnings = proxy.lines.filter(({ level }) => level === 'warn');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.message ?? '', /^upstream failed: ./);
    assert.doesNotMatch(warnings[0]?.message ?? '', /[^\x20-\x7e]/, 'nothing raw in the log');

    assert.equal((await ask(t, proxy.port, get('/good'))).body, 'fine');
    assert.deepEqual(
      proxy.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
}

/** Odd, but clear: what it means must not change on its way. */
const ODD: readonly (readonly [name: string, answer: string, status: number])[] = [
  ['an unknown status', 'HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n', 799],
  ['a trailer announced beside a length', `${OK}Trailer: X\r\nContent-Length: 0\r\n\r\n`, 200],
  ['a trailer announced by a 204', 'HTTP/1.1 204 OK\r\nTrailer: X\r\n\r\n', 204],
  ['chunks of a 304', `HTTP/1.1 304 OK\r\n${TE}: chunked\r\n\r\n`, 304],
  ['a length of a 204', 'HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n', 204],
  ['chunks in capitals', `${OK}${TE}: CHUNKED\r\n\r\n${CHUNKS}`, 200],
  ['names of objects', `${OK}__proto__: a\r\nconstructor: b\r\nContent-Length: 0\r\n\r\n`, 200],
  ['a version that is none of HTTP/1', 'HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n', 200],
  ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', 200],
  ['500 headers', `${OK}${'X-A: b\r\n'.repeat(500)}Content-Length: 0\r\n\r\n`, 200],
  ['a value of 60 KiB', `${OK}X-A: ${'x'.repeat(60 * 1_024)}\r\nContent-Length: 0\r\n\r\n`, 200],
];

for (const [name, bytes, status] of ODD) {
  test(`an odd but clear answer passes: ${name}`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.on('data', () => peer.send(bytes));
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    for (let i = 0; i < 2; i++) {
      const answer = await ask(t, proxy.port, get('/odd'));
      assert.deepEqual([answer.status, answer.isWhole, answer.rest], [status, true, '']);
      assert.deepEqual(answer.values('trailer'), []);
    }
  });
}
