import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, get, parseAnswer, readAnswer } from '../support/raw-answer.ts';
import { begin, bugs, failures } from './both-ends.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const END = 'Content-Length: 2\r\n\r\nok';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** What `lenient` is for, and how it passes. */
const BROKEN: readonly (readonly [name: string, answer: string, kept?: readonly string[]])[] = [
  ['bare line feeds', 'HTTP/1.1 200 OK\nX-A: b\nContent-Length: 2\n\nok', ['b']],
  ['line feeds here and there', 'HTTP/1.1 200 OK\r\nX-A: b\nContent-Length: 2\r\n\nok', ['b']],
  ['a folded header', `${OK}X-A: a\r\n b\r\n${END}`],
  ['a header folded by a tab', `${OK}X-A: a\r\n\tb\r\n${END}`],
  ['a folded header at the end', `${OK}Content-Length: 2\r\nX-A: a\r\n  b\r\n\r\nok`],
  ['a control character in a value', `${OK}X-A: a\x01b\r\n${END}`],
  ['an escape in a value', `${OK}X-A: \x1b[31mred\r\n${END}`],
  ['DEL in a value', `${OK}X-A: a\x7fb\r\n${END}`],
  ['NUL in a value', `${OK}X-A: a\0b\r\n${END}`],
  ['a control character in a cookie', `${OK}Set-Cookie: a=\x02b\r\n${END}`],
  ['a 100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}${END}`],
];

for (const [name, bytes, kept] of BROKEN) {
  test(`a lenient site is served: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, get(), { site: { lenient: true } });
    site.send(bytes);
    const answer = await readAnswer(client);
    assert.deepEqual([answer.status, answer.body, answer.isWhole], [200, 'ok', true]);
    if (kept) assert.deepEqual(answer.values('x-a'), kept);
    const head = client.received.slice(0, client.received.indexOf('\r\n\r\n'));
    // SECURITY: what the site breaks, clients must not see broken.
    const isPrintable = (char: string) => char === '\t' || (char >= ' ' && char !== '\x7f');
    assert.ok([...head.replaceAll('\r\n', '')].every(isPrintable), JSON.stringify(head));
    assert.deepEqual(bugs(proxy), []);
  });

  test(`a strict site is not, and the log says what helps: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, get());
    site.send(bytes);
    const answer = await readAnswer(client);
    if (answer.status === 200) {
      // Found out too late: it is cut.
      assert.equal(answer.isWhole, false);
      return;
    }
    assert.equal(answer.status, 502);
    assert.match(failures(proxy).at(-1) ?? '', /; "lenient": true may read it$/);
  });
}

/** Broken in a way that nobody can mend: a 502, or an answer that has one meaning only. */
const HOPELESS: readonly (readonly [name: string, answer: string])[] = [
  [
    'length and chunks',
    `${OK}Content-Length: 2\r\n${CHUNKED}\r\n14\r\nHTTP/1.1 200 OK\r\n\r\nx\r\n0\r\n\r\n`,
  ],
  [
    'chunks and length',
    `${OK}${CHUNKED}Content-Length: 2\r\n\r\n14\r\nHTTP/1.1 200 OK\r\n\r\nx\r\n0\r\n\r\n`,
  ],
  [
    'chunks, length and a trailer',
    `${OK}${CHUNKED}Trailer: X\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\nX: \x01\r\n\r\n`,
  ],
  ['two lengths', `${OK}Content-Length: 2\r\nContent-Length: 20\r\n\r\nok`],
  ['a space before the colon', `${OK}Content-Length : 2\r\n\r\nok`],
  ['a folded length', `${OK}Content-Length:\r\n 2\r\n\r\nok`],
  ['a folded length, and more', `${OK}Content-Length:\r\n 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nx`],
  [
    'a length with a control character',
    `${OK}Content-Length: \x012\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nx`,
  ],
  ['a length of two numbers', `${OK}Content-Length: 2 2\r\n\r\nok`],
  ['a folded coding', `${OK}Transfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['a coding that is not chunks', `${OK}Transfer-Encoding: gzip\r\n\r\nok`],
  ['chunks with a coding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['two codings', `${OK}${CHUNKED}Transfer-Encoding: identity\r\n\r\n2\r\nok\r\n0\r\n\r\n`],
  ['a status below 100', `HTTP/1.1 099 Odd\r\n${END}`],
  ['a 101 that nobody asked for', 'HTTP/1.1 101 Odd\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'],
  ['a bare 101', 'HTTP/1.1 101 Odd\r\n\r\n'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
  ['a broken trailer', `${OK}${CHUNKED}Trailer: X\r\n\r\n2\r\nok\r\n0\r\nX: a\x01b\r\n\r\n`],
  ['a folded trailer', `${OK}${CHUNKED}Trailer: X\r\n\r\n2\r\nok\r\n0\r\nX: a\r\n b\r\n\r\n`],
];

for (const [name, bytes] of HOPELESS) {
  test(`a lenient site cannot confuse what follows on a client's connection: ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, get('/', 'TE: trailers'), {
      site: { lenient: true },
    });
    site.send(bytes);
    site.socket.end();
    await site.closed;
    await client.receive('\r\n\r\n').catch(() => undefined);
    // The proxy has seen the end of the site before it sees this, so all of the answer has left.
    await ask(t, proxy.port, 'GET /_comet/none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const answer = parseAnswer(client.received, { hasEnded: true });
    if (!answer) return assert.equal(client.socket.readyState, 'closed');
    assert.ok(answer.status === 502 || answer.status === 200, answer.statusLine);
    // SECURITY: one framing, and nothing behind the answer that a client takes for the next one.
    const framings = [...answer.values('content-length'), ...answer.values('transfer-encoding')];
    assert.equal(framings.length, 1, JSON.stringify(framings));
    assert.equal(answer.rest, '');
    assert.ok(
      answer.body.startsWith('UPSTREAM_INVALID') || /^ok|^HTTP/.test(answer.body),
      answer.body,
    );
    assert.deepEqual(bugs(proxy), []);
  });
}
