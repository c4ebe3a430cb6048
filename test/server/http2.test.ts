import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import { request as requestOverTls } from 'node:https';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { hasBody } from '../../src/shared/raw-headers.ts';
import { isAborted, truncate } from '../../src/shared/truncate.ts';
import { createCertificate } from '../support/certificate.ts';
import { askHttp2, connectHttp2, readHttp2, request } from '../support/http2-client.ts';
import type { TestListenerOptions } from '../support/listener.ts';
import { SAFE_NODE, startListener } from '../support/listener.ts';
import { until } from '../support/until.ts';

/** Start a listener that speaks HTTP/2, on every version of Node, and connect to it. */
async function start(t: TestContext, options: TestListenerOptions = {}) {
  const listen = { address: '127.0.0.1:0', tls: createCertificate(t), http2: true };
  const listener = await startListener(t, { listen, nodeVersion: SAFE_NODE, ...options });
  return { listener, session: await connectHttp2(t, listener.port) };
}

test('a request over HTTP/2 reads like one over HTTP/1', async (t) => {
  let seen: IncomingMessage | undefined;
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    seen = req;
    res.end();
  };
  const { listener, session } = await start(t, { onRequest });
  await askHttp2(session, {
    ':path': '/a%2Fb?c=d',
    'x-two': ['1', '2'],
    cookie: ['a=1', 'b=2'],
    'x-byte': 'caf\xe9',
  });
  assert.ok(seen);
  assert.deepEqual([seen.method, seen.url, seen.httpVersion], ['GET', '/a%2Fb?c=d', '2.0']);
  assert.deepEqual(seen.rawHeaders, [
    ...['host', 'site.test', 'x-two', '1', 'x-two', '2', 'x-byte', 'caf\xe9'],
    ...['cookie', 'a=1; b=2'],
  ]);
  assert.equal(seen.headers.host, 'site.test');
  assert.equal(hasBody(seen.rawHeaders), false);
  assert.deepEqual(listener.peers, [{ address: '127.0.0.1', isEncrypted: true }]);
});

test('a body is announced, whether its length is known or not', async (t) => {
  const seen: string[] = [];
  const { session } = await start(t, {
    async onRequest(req, res) {
      let body = '';
      for await (const chunk of req) body += String(chunk);
      seen.push(`${hasBody(req.rawHeaders)} ${body} ${req.rawHeaders.slice(2).join(' ')}`);
      res.end('ok');
    },
  });
  for (const headers of [{}, { 'content-length': '3' }]) {
    const stream = request(session, { ':method': 'POST', ...headers }, { endStream: false });
    stream.end('abc');
    assert.equal((await readHttp2(stream)).body, 'ok');
  }
  assert.deepEqual(seen, ['true abc transfer-encoding chunked', 'true abc content-length 3']);
});

test('headers of an answer are those of HTTP/1, without those of its connection', async (t) => {
  const { session } = await start(t, {
    onRequest(_req, res) {
      res.writeHead(200, [
        ...['Connection', 'close', 'Keep-Alive', 'timeout=5', 'Transfer-Encoding', 'chunked'],
        ...['Upgrade', 'h2c', 'X-A', '1', 'x-a', '2', 'Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'],
        ...['Content-Type', 'text/plain', 'Content-Type', 'text/html', 'X-Byte', 'caf\xe9'],
      ] as never);
      res.end('body');
    },
  });
  const { status, headers, body } = await askHttp2(session);
  assert.deepEqual([status, body], [200, 'body']);
  const lines = Object.entries(headers).filter(([name]) => !/^(?:date|:status)$/.test(name));
  assert.deepEqual(Object.fromEntries(lines), {
    'x-a': '1, 2',
    'set-cookie': ['a=1', 'b=2'],
    'content-type': 'text/plain, text/html',
    'x-byte': 'caf\xe9',
  });
});

test('a reason phrase is left out, and trailers may follow', async (t) => {
  const { session } = await start(t, {
    onRequest(_req, res) {
      res.writeHead(200, 'Fine', { 'x-a': '1' });
      res.write('body');
      res.addTrailers([['X-Sum', '4']]);
      res.end();
    },
  });
  const { headers, trailers, body } = await askHttp2(session);
  assert.deepEqual([headers['x-a'], trailers['x-sum'], body], ['1', '4', 'body']);
});

test('what cannot be an answer over HTTP/2 throws, and leaves room for another', async (t) => {
  const { session } = await start(t, {
    onRequest(_req, res) {
      assert.throws(() => res.writeHead(999, { 'x-a': '1' }));
      res.writeHead(502, { 'x-b': '2' }).end();
    },
  });
  const { status, headers } = await askHttp2(session);
  assert.deepEqual([status, headers['x-a'], headers['x-b']], [502, undefined, '2']);
});

test('a truncated answer is not taken for a whole one', async (t) => {
  const { session } = await start(t, {
    onRequest(_req, res) {
      res.writeHead(200);
      res.write('half', () => truncate(res));
    },
  });
  const answer = await askHttp2(session);
  assert.deepEqual([answer.status, answer.resetCode], [200, constants.NGHTTP2_INTERNAL_ERROR]);
});

test('a truncated upload answer does not end the other streams of its connection', async (t) => {
  const held: ServerResponse[] = [];
  const { session } = await start(t, {
    onRequest(req, res) {
      if (req.url === '/cut') return truncate(res.writeHead(200));
      held.push(res);
    },
  });
  const other = readHttp2(request(session));
  await until(() => held.length === 1);
  assert.notEqual((await askHttp2(session, { ':path': '/cut' })).resetCode, 0);
  held[0]?.end('fine');
  assert.equal((await other).body, 'fine');
});

const LEAVINGS: Record<string, (stream: ReturnType<typeof request>) => void> = {
  'the stream is cancelled': (stream) => stream.close(constants.NGHTTP2_CANCEL),
  'the stream is closed without an error': (stream) => stream.close(constants.NGHTTP2_NO_ERROR),
  'the connection is lost': (stream) => stream.session?.destroy(),
};

for (const [name, leave] of Object.entries(LEAVINGS)) {
  test(`a client that leaves is noticed: ${name}`, async (t) => {
    let closed: Promise<unknown> | undefined;
    let state: unknown;
    const { session } = await start(t, {
      onRequest(_req, res) {
        closed = once(res, 'close').then(() => {
          state = [isAborted(res), res.writableFinished, res.destroyed];
        });
        res.writeHead(200);
        res.write('begin');
      },
    });
    const stream = request(session);
    await once(stream, 'data');
    leave(stream);
    await closed;
    assert.deepEqual(state, [true, false, true]);
  });
}

test('an answer that was sent whole is not taken for an aborted one', async (t) => {
  let state: unknown;
  const { session } = await start(t, {
    onRequest(_req, res) {
      res.once('close', () => {
        state = [isAborted(res), res.writableFinished, res.destroyed];
      });
      res.end('x'.repeat(100_000));
    },
  });
  assert.equal((await askHttp2(session)).body.length, 100_000);
  await until(() => state !== undefined);
  assert.deepEqual(state, [false, true, true]);
});

test('a large body flows both ways', { timeout: 60_000 }, async (t) => {
  const { session } = await start(t, { onRequest: (req, res) => void req.pipe(res) });
  const stream = request(session, { ':method': 'POST' }, { endStream: false });
  const body = 'x'.repeat(5 * 1_024 * 1_024);
  stream.end(body);
  assert.equal((await readHttp2(stream)).body.length, body.length);
});

test('a body that is waited for is asked for, and an expectation beyond is refused', async (t) => {
  const { session } = await start(t, {
    onRequest(req, res) {
      res.writeContinue();
      req.pipe(res);
    },
  });
  const headers = { ':method': 'POST', expect: '100-continue' };
  const stream = request(session, headers, { endStream: false });
  stream.once('continue', () => stream.end('abc'));
  assert.equal((await readHttp2(stream)).body, 'abc');
  assert.equal((await askHttp2(session, { expect: 'more' })).status, 417);
});

test('HTTP/1.1 is spoken on the same address', async (t) => {
  const { listener } = await start(t);
  const req = requestOverTls({
    port: listener.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
  }).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  assert.deepEqual([res.statusCode, res.httpVersion], [200, '1.1']);
  res.resume();
});

test('a connection limit and a refused method are told over HTTP/2 too', async (t) => {
  const { listener, session } = await start(t, { limits: { connections: 1 } });
  const refused = await askHttp2(await connectHttp2(t, listener.port));
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '5']);
  assert.match(refused.body, /^TOO_MANY_CONNECTIONS: /);
  const connect = await askHttp2(session, { ':method': 'CONNECT', ':path': undefined });
  assert.deepEqual([connect.status, connect.headers.allow?.includes('GET')], [405, true]);
  const asterisk = await askHttp2(session, { ':method': 'OPTIONS', ':path': '*' });
  assert.equal(asterisk.status, 200);
});

test('a closing listener sends the clients of its sessions away, their answers first', async (t) => {
  let held: ServerResponse | undefined;
  const { listener, session } = await start(t, {
    onRequest: (_req, res) => {
      held = res;
    },
  });
  const answer = askHttp2(session);
  await until(() => held !== undefined);
  const away = once(session, 'goaway');
  const closed = listener.close();
  await away;
  held?.end('fine');
  assert.equal((await answer).body, 'fine');
  await closed;
});

test('a session without requests is ended, also when it sends frames', async (t) => {
  const { session } = await start(t, { times: { headersMs: 50 } });
  const timer = setInterval(() => {
    if (!session.destroyed) session.ping(() => undefined);
  }, 5);
  t.after(() => clearInterval(timer));
  await once(session, 'close');
});
