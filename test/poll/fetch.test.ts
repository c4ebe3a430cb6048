import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { until } from '../support/until.ts';
import { MAX_BYTES, rejects, setUp } from './fetch-setup.ts';

test('an answer has its status, its body and the first value of each header', async (t) => {
  const { get } = await setUp(t, (_req, res) => {
    res.setHeader('X-Twice', ['one', 'two']).setHeader('ETag', '"1"').end('hello');
  });
  const { status, headers, body } = await get();
  assert.equal(status, 200);
  assert.equal(body.toString(), 'hello');
  assert.equal(headers.get('etag'), '"1"');
  assert.equal(headers.get('x-twice'), 'one');
});

test('a poll carries the headers that it is given, and no other of a client', async (t) => {
  const { upstream, get } = await setUp(t, (_req, res) => res.end());
  const headers = ['host', 'shop.example', 'cookie', 'a=1', 'accept-encoding', 'gzip'];
  await get({ headers, target: '/state?x=1&x=2' });
  const [seen] = upstream.requests;
  assert.equal(seen?.method, 'GET');
  assert.equal(seen?.url, '/state?x=1&x=2');
  const { connection, ...rest } = seen?.headers ?? {};
  assert.equal(connection, 'keep-alive');
  assert.deepEqual(rest, { host: 'shop.example', cookie: 'a=1', 'accept-encoding': 'gzip' });
});

test('polls in a row use one connection', async (t) => {
  const ports = new Set<number | undefined>();
  const { get } = await setUp(t, (req, res) => {
    ports.add(req.socket.remotePort);
    res.end('x');
  });
  for (let i = 0; i < 5; i++) {
    await get();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(ports.size, 1);
});

test('gzip is undone', async (t) => {
  const { get } = await setUp(t, (_req, res) => {
    res.setHeader('content-encoding', 'GZIP').end(gzipSync('hello'));
  });
  assert.equal((await get()).body.toString(), 'hello');
});

test('a body that is too large is refused', async (t) => {
  const large = 'x'.repeat(MAX_BYTES + 1);
  const table: [string, (res: ServerResponse) => void][] = [
    ['with a Content-Length', (res) => void res.end(large)],
    [
      'in chunks',
      (res) => {
        res.write(large);
        res.end();
      },
    ],
    [
      'as a gzip bomb',
      (res) => {
        const bomb = gzipSync(Buffer.alloc(MAX_BYTES * 100));
        assert.ok(bomb.length < MAX_BYTES);
        res.setHeader('content-encoding', 'gzip').end(bomb);
      },
    ],
  ];
  for (const [name, write] of table) {
    await t.test(name, async (t) => {
      const { get } = await setUp(t, (_req, res) => write(res));
      await rejects(get(), 'UPSTREAM_TOO_LARGE');
    });
  }
});

test('a body of exactly the largest size is taken', async (t) => {
  const { get } = await setUp(t, (_req, res) => void res.end('x'.repeat(MAX_BYTES)));
  assert.equal((await get()).body.length, MAX_BYTES);
});

test('an endless body is hung up on', async (t) => {
  let isClosed = false;
  const { get } = await setUp(t, (_req, res) => {
    const pump = () => {
      while (!isClosed && res.write(Buffer.alloc(4_096)));
    };
    res.on('drain', pump).on('close', () => {
      isClosed = true;
    });
    pump();
  });
  await rejects(get(), 'UPSTREAM_TOO_LARGE');
  await until(() => isClosed);
});

test('a coding that was not asked for is refused', async (t) => {
  for (const [coding, body] of [
    ['br', brotliCompressSync('hello')],
    ['gzip, gzip', gzipSync(gzipSync('hello'))],
  ] as const) {
    const { get } = await setUp(t, (_req, res) => {
      res.setHeader('content-encoding', coding).end(body);
    });
    await rejects(get(), 'UPSTREAM_INVALID');
  }
});

test('broken gzip is refused', async (t) => {
  const whole = gzipSync('hello hello hello');
  for (const body of [whole.subarray(0, -6), Buffer.from('no gzip at all')]) {
    const { get } = await setUp(t, (_req, res) => {
      res.setHeader('content-encoding', 'gzip').end(body);
    });
    await rejects(get(), 'UPSTREAM_INVALID');
  }
});

test('an answer that breaks off is refused', async (t) => {
  for (const headers of [{ 'content-length': '100' }, { 'transfer-encoding': 'chunked' }]) {
    const { get } = await setUp(t, (_req, res) => {
      res.writeHead(200, headers).write('half', () => res.destroy());
    });
    await assert.rejects(get(), ({ code }: { code: string }) =>
      ['UPSTREAM_RESET', 'UPSTREAM_INVALID'].includes(code),
    );
  }
});

test('an upstream that is not there is unreachable', async (t) => {
  const { upstream, get } = await setUp(t, (_req, res) => res.end());
  await upstream.close();
  await rejects(get(), 'UPSTREAM_UNREACHABLE');
});

test('a 304 with a Content-Length is whole with its head', async (t) => {
  const { get } = await setUp(t, (_req, res) => {
    res.writeHead(304, { 'content-length': '5', etag: '"1"' }).end();
  });
  for (let i = 0; i < 3; i++) {
    const { status, body, headers } = await get();
    assert.equal(status, 304);
    assert.equal(body.length, 0);
    assert.equal(headers.get('etag'), '"1"');
  }
});

test('a redirect is an answer, and is not followed', async (t) => {
  const { upstream, get } = await setUp(t, (_req, res) => {
    res.writeHead(302, { location: '/login' }).end('moved');
  });
  const { status, headers } = await get();
  assert.equal(status, 302);
  assert.equal(headers.get('location'), '/login');
  assert.equal(upstream.requests.length, 1);
});

test('early hints are not the answer', async (t) => {
  const { get } = await setUp(t, (_req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' });
    res.end('hello');
  });
  assert.equal((await get()).status, 200);
});
