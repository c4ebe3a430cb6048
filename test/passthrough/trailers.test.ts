import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, readAnswer } from '../support/raw-answer.ts';
import { begin, bugs } from './both-ends.ts';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n';
const BODY = '3\r\nabc\r\n0\r\n';
const ANNOUNCED = `${CHUNKED}Trailer: X-Sum\r\n\r\n${BODY}`;
const SILENT = `${CHUNKED}\r\n${BODY}`;
const SUM = 'X-Sum: caf\xe9\r\nx-sum: 2\r\n';

for (const [name, request, answer] of [
  ['announced by the site', get(), ANNOUNCED],
  ['asked for by the client', get('/', 'TE: trailers'), SILENT],
  ['asked for among other things', get('/', 'TE: gzip;q=0.5, Trailers'), SILENT],
  ['announced and asked for', get('/', 'TE: trailers'), ANNOUNCED],
] as const) {
  test(`trailers pass with case, duplicates and every byte when they are ${name}`, async (t) => {
    const { client, site, proxy } = await begin(t, request);
    assert.match(site.received, /\r\nte: trailers\r\n|^(?!.*\r\nte:)/is);
    site.send(`${answer}${SUM}\r\n`);
    const all = await client.receive(/\r\n0\r\n(?:.+\r\n)*\r\n$/);
    assert.ok(all.endsWith(`\r\n\r\n3\r\nabc\r\n0\r\n${SUM}\r\n`), all);
    assert.equal(/\r\ntrailer: x-sum\r\n/i.test(all), answer === ANNOUNCED);
    assert.deepEqual(bugs(proxy), []);

    const from = client.received.length;
    client.send(get('/next'));
    await site.receive('GET /next');
    site.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await readAnswer(client, { from })).body, 'ok', 'both connections go on');
  });
}

test('trailers that nobody announced or asked for are dropped', async (t) => {
  const { client, site } = await begin(t, get());
  site.send(`${SILENT}${SUM}\r\n`);
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole, answer.rest], ['abc', true, '']);
});

for (const connection of ['close', 'keep-alive']) {
  test(`an HTTP/1.0 client gets no trailers: ${connection}`, async (t) => {
    const request = `GET / HTTP/1.0\r\nHost: a\r\nTE: trailers\r\nConnection: ${connection}\r\n\r\n`;
    const { client, site } = await begin(t, request);
    site.send(`${ANNOUNCED}${SUM}\r\n`);
    assert.equal(await client.closed, 'end');
    const answer = await readAnswer(client);
    assert.deepEqual([answer.status, answer.body], [200, 'abc']);
    assert.deepEqual(answer.values('trailer'), []);
    assert.deepEqual(answer.values('transfer-encoding'), []);
  });
}

for (const [name, method, head] of [
  ['a length', 'GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
  ['no body', 'GET', 'HTTP/1.1 204 No Content\r\n'],
  ['nothing new', 'GET', 'HTTP/1.1 304 Not Modified\r\n'],
  ['HEAD', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n'],
  ['the end of the connection', 'GET', 'HTTP/1.1 200 OK\r\n'],
] as const) {
  test(`an answer without chunks announces no trailers: ${name}`, async (t) => {
    const request = get('/', 'TE: trailers').replace('GET', method);
    const { client, site, proxy } = await begin(t, request);
    site.send(`${head}Trailer: X-Sum\r\n\r\n`);
    site.socket.end();
    const answer = await readAnswer(client, { method });
    assert.notEqual(answer.status, 502);
    assert.deepEqual([answer.body, answer.isWhole, answer.rest], ['', true, '']);
    assert.deepEqual(answer.values('trailer'), []);
    assert.deepEqual(bugs(proxy), []);
  });
}

test('fields that may not stand in a trailer are dropped from it', async (t) => {
  const forbidden = [
    'Set-Cookie: admin=1',
    'Authorization: Basic eA==',
    'Host: evil.test',
    'Content-Type: text/html',
    'Content-Encoding: gzip',
    'Cache-Control: public',
    'Location: //evil.test',
    'Connection: close',
    'Trailer: X-Other',
    'Keep-Alive: timeout=1',
    'Vary: *',
  ];
  const { client, site } = await begin(t, get('/', 'TE: trailers'));
  site.send(`${SILENT}${forbidden.map((line) => `${line}\r\n`).join('')}X-Sum: 1\r\n\r\n`);
  const all = await client.receive('X-Sum: 1\r\n\r\n');
  assert.ok(all.endsWith('\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n'), all);
});

for (const lenient of [false, true]) {
  test(`a client's own trailers end here: lenient ${lenient}`, async (t) => {
    const request = `POST /up HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n${BODY}X-Sum: 1\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n`;
    const { client, site } = await begin(t, request, {
      site: { lenient },
      arrived: /\r\n0\r\n(?:.+\r\n)*\r\n$/,
    });
    assert.doesNotMatch(site.received, /x-sum|6\.6\.6\.6/i);
    site.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    assert.equal((await readAnswer(client)).body, 'ok');
  });
}
