import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import { begin } from './both-ends.ts';

const LENIENT = { site: { lenient: true } };
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const POST = 'POST /up HTTP/1.1\r\nHost: a\r\n';

test('no connection to a lenient site carries a second request', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient: true } });
  const client = connectRaw(t, proxy.port);
  for (const path of ['/a', '/b', '/c']) {
    const from = client.received.length;
    client.send(get(path));
    const answer = await readAnswer(client, { from });
    assert.equal(answer.body, 'ok');
    assert.deepEqual(answer.values('connection'), ['keep-alive'], "the client's own goes on");
  }
  assert.equal(upstream.connections.length, 3);
  for (const { closed, received } of upstream.connections) {
    await closed;
    assert.match(received, /\r\nconnection: close\r\n/i);
  }
});

test('what a lenient site sends behind its answer answers nobody', async (t) => {
  const upstream = await answerWith(t, `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`);
  const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient: true } });
  const client = connectRaw(t, proxy.port);
  for (let i = 0; i < 3; i++) {
    const from = client.received.length;
    client.send(get());
    const answer = await readAnswer(client, { from });
    assert.deepEqual([answer.body, answer.rest], ['ok', '']);
  }
});

test('the request to a lenient site is the same as to a strict one', async (t) => {
  const lines = [
    'X-Zeta: 1',
    'aCCept: text/html',
    'x-alpha: caf\xe9 \xff\x80',
    'X-Empty:',
    'Cookie: a=1',
    'User-Agent: Old/1.0 (\xa9)',
    'Connection: X-Private, Cookie',
    'X-Private: a',
    'X_Forwarded_For: 6.6.6.6',
    'X-Forwarded-For: 6.6.6.6',
    'Via: 1.0 cache',
    '__proto__: no',
    'constructor: yes',
    'Expect: 100-continue',
    'TE: trailers',
    'Trailer: X',
  ];
  const heads: string[][] = [];
  for (const lenient of [false, true]) {
    const { site } = await begin(t, get('/a//b/../c%2e?d=|e', ...lines), {
      site: { lenient },
      config: { via: false },
    });
    heads.push(site.received.split('\r\n').filter((line) => !/^connection:/i.test(line)));
  }
  const [strict = [], lenient = []] = heads;
  // Each engine spells this one in its own way.
  const plain = (line: string) => line.trim().replace(/^host:/i, 'Host:');
  assert.deepEqual(lenient.map(plain), strict.map(plain));
});

test('headers that stand in several lines reach a lenient site all, in their order', async (t) => {
  const lines = ['Cookie: a=1', 'X-A: 1', 'Cookie: b=2', 'x-a: 2', 'Accept: a/b', 'Accept: c/d'];
  const { site } = await begin(t, get('/', ...lines), LENIENT);
  const values = (name: string) =>
    [...site.received.matchAll(new RegExp(`\r\n${name}: *(.*?)(?=\r\n)`, 'gi'))].map(([, v]) => v);
  assert.deepEqual(values('cookie'), ['a=1; b=2'], 'one line is what RFC 6265 wants');
  assert.deepEqual(values('x-a'), ['1', '2']);
  assert.deepEqual(values('accept'), ['a/b', 'c/d']);
});

test('answer headers of a lenient site keep case, order, duplicates and every byte', async (t) => {
  const lines = [
    'X-Zeta: 1',
    'set-COOKIE: a=1',
    'x-alpha: caf\xe9',
    'Set-Cookie: b=2',
    'Last-Modified: x',
    'Last-Modified: y',
    'Content-Length: 2',
  ];
  const { client, site } = await begin(t, get(), LENIENT);
  site.send(
    `HTTP/1.1 200 All Fine\r\nX-Accel-Redirect: /x\r\nKeep-Alive: a\r\n${lines.join('\r\n')}\r\n\r\nok`,
  );
  const answer = await readAnswer(client);
  assert.equal(answer.statusLine, 'HTTP/1.1 200 All Fine');
  const passed = answer.headers.map(([name, value]) => `${name}: ${value}`);
  assert.deepEqual(passed.slice(0, lines.length), lines);
});

test('an answer head of 40 KiB is read of a lenient site as of a strict one', async (t) => {
  for (const lenient of [false, true]) {
    const { client, site } = await begin(t, get(), { site: { lenient } });
    site.send(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(40 * 1_024)}\r\nContent-Length: 2\r\n\r\nok`);
    assert.equal((await readAnswer(client)).status, 200);
  }
});

for (const method of ['POST', 'DELETE', 'OPTIONS', 'GET', 'PATCH']) {
  for (const framing of ['Content-Length: 41', 'Transfer-Encoding: chunked'] as const) {
    const body = 'GET /hidden HTTP/1.1\r\nHost: hidden.test\r\n\r\n'.slice(0, 41);
    test(`a ${method} to a lenient site keeps its body and its framing: ${framing}`, async (t) => {
      const isChunked = framing.startsWith('T');
      const sent = isChunked ? `29\r\n${body}\r\n0\r\n\r\n` : body;
      const { client, site } = await begin(
        t,
        `${method} /up HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${sent}`,
        {
          ...LENIENT,
          arrived: isChunked ? /\r\n0\r\n\r\n$/ : 'hidden.test',
        },
      );
      const [head = '', ...rest] = site.received.split('\r\n\r\n');
      const framings = head.match(/^(?:content-length|transfer-encoding):.*$/gim) ?? [];
      assert.deepEqual(
        framings.map((line) => line.toLowerCase()),
        [framing.toLowerCase()],
      );
      assert.ok(rest.join('\r\n\r\n').includes(body));
      site.send(OK);
      assert.equal((await readAnswer(client)).body, 'ok');
    });
  }
}

test('a lenient site that cannot be reached is a 502', async (t) => {
  const url = `http://127.0.0.1:${await unusedPort()}`;
  const proxy = await startTestProxy(t, { site: { url, lenient: true } });
  for (const request of [get(), `${POST}Content-Length: 4\r\n\r\nhi`]) {
    const answer = await ask(t, proxy.port, request);
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_UNREACHABLE: /);
  }
});

for (const how of ['end', 'reset'] as const) {
  test(`a lenient site that dies before its head is a 502, and a GET is tried once more: ${how}`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => (how === 'end' ? peer.socket.end() : peer.reset()));
    });
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient: true } });
    const answer = await ask(t, proxy.port, get());
    assert.equal(answer.status, 502);
    assert.match(answer.body, /^UPSTREAM_RESET: /);
    assert.ok(upstream.connections.length <= 2);
    const posted = await ask(t, proxy.port, `${POST}Content-Length: 2\r\n\r\nhi`);
    assert.equal(posted.status, 502);
    const posts = upstream.connections.filter(({ received }) => received.startsWith('POST'));
    assert.equal(posts.length, 1);
  });
}

test('a lenient site has WebSockets', async (t) => {
  const { client, site } = await begin(t, upgrade(), LENIENT);
  site.send(switching());
  await client.receive('\r\n\r\n');
  client.send('ping');
  await site.receive('ping');
  site.send('pong');
  await client.receive('pong');
});

test('what is logged of a request to a lenient mount names it as the client wrote it', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    comet: { '/push': { origin: `${upstream.url}/base/`, lenient: true } },
    log: { access: 'json' },
  });
  const answer = await ask(t, proxy.port, get('/push/deep?x=1', 'Connection: close'));
  assert.equal(answer.status, 200);
  assert.match(upstream.connections[0]?.received ?? '', /^GET \/base\/deep\?x=1 /);
  const line = proxy.lines.find(({ message }) => message === 'request');
  assert.equal(line?.fields['url'], '/push/deep?x=1');
});
