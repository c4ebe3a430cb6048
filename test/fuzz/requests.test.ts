import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { HANDSHAKE } from '../support/raw-websocket.ts';
import { cut, mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { createRandom, SEED } from './random.ts';

const BATCHES = 100;
const CASES_PER_BATCH = 20;
const PATHS = [
  '/page',
  '/push/chat',
  '/push',
  '/state',
  '/_comet/sse?url=%2Fstate',
  '/%70ush/x',
  '/a/../b',
];

interface Case {
  readonly bytes: string;
  /** Has one meaning only: what is hidden in it must stay hidden. */
  readonly isClear: boolean;
}

/** One request, with others hidden where they are no requests. */
function build(id: number, random: Random): string {
  const method = random.pick(['GET', 'POST', 'DELETE', 'OPTIONS', 'HEAD', 'PUT']);
  const hidden = `GET /hidden${id} HTTP/1.1\r\nHost: hidden.test\r\n\r\n`;
  const lines = [
    `${method} ${random.pick(PATHS)}?r=${id} HTTP/1.${random.chance(0.9) ? 1 : 0}`,
    'Host: site.test',
  ];
  lines.push(`X-Hidden: ${hidden.split('\r\n', 1)[0]}`);
  const framing = random.int(4);
  if (framing === 0) return [...lines, '', ''].join('\r\n');
  if (framing === 1)
    return [...lines, ...HANDSHAKE, '', ''].join('\r\n').replace(method, 'GET') + hidden;
  if (framing === 2) return [...lines, `Content-Length: ${hidden.length}`, '', hidden].join('\r\n');
  const chunk = `${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`;
  return [...lines, 'Transfer-Encoding: chunked', '', chunk].join('\r\n');
}

function nextCase(id: number, random: Random): Case {
  const bytes = build(id, random);
  if (random.chance(0.1)) return { bytes, isClear: !bytes.includes('Upgrade: websocket') };
  const mutated = mutate(bytes, random);
  return { bytes: random.chance(0.2) ? mutated + build(id, random) : mutated, isClear: false };
}

/** A site that notes how it reads what reaches it. */
async function startReader(t: TestContext, parser: 'strict' | 'tolerant') {
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ insecureHTTPParser: parser === 'tolerant' }, (req, res) => {
    seen.push(`${req.method} ${req.url}`);
    req.on('error', () => undefined);
    req.resume();
    res.on('error', () => undefined);
    res.end(req.url?.startsWith('/good') ? req.url : 'ok');
  });
  server.on('upgrade', (req, socket) => {
    seen.push(`${req.method} ${req.url}`);
    socket.on('error', () => undefined).end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n');
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The requests that the proxy took from its clients, as its access log has them. */
function taken({ lines }: TestProxy): string[] {
  return lines
    .filter(({ message }) => message === 'request')
    .map(({ fields }) => `${fields['method']} ${fields['url']}`);
}

for (const [parser, lenient] of [
  ['strict', false],
  ['tolerant', false],
  ['tolerant', true],
] as const) {
  test(`mutated requests end nothing and smuggle nothing: site ${parser}, engine ${lenient ? 'lenient' : 'strict'}, seed ${SEED}`, {
    timeout: 120_000,
  }, async (t) => {
    const random = createRandom(SEED);
    const site = await startReader(t, parser);
    const proxy = await startTestProxy(t, {
      site: { url: site.url, lenient },
      comet: { '/push': { origin: `${site.url}/push/`, lenient } },
      live: { '/state': { every: '1h', vary: [], linger: '0s' } },
      log: { access: 'json' },
    });
    const clear = new Set<number>();
    for (let batch = 0; batch < BATCHES; batch++) {
      const clients = Array.from({ length: CASES_PER_BATCH }, (_, index) => {
        const id = batch * CASES_PER_BATCH + index;
        const { bytes, isClear } = nextCase(id, random);
        if (isClear) clear.add(id);
        const client = connectRaw(t, proxy.port);
        for (const part of cut(bytes, random)) client.send(part);
        return client;
      });
      for (const path of [`/good${batch}a`, `/good${batch}b`]) {
        const answer = await ask(t, proxy.port, get(path, 'Connection: close'));
        assert.deepEqual([answer.status, answer.body], [200, path], `batch ${batch}`);
      }
      for (const client of clients) client.reset();
      for (const client of clients) await client.closed;
    }
    await ask(t, proxy.port, get('/good', 'Connection: close'));

    const bugs = proxy.lines.filter(({ level }) => level === 'error');
    assert.deepEqual(bugs, []);
    const known = new Set(site.seen.filter((line) => !/ \/(?:state|good)/.test(line)));
    for (let turn = 0; turn < 50 && known.size > 0; turn++) {
      // An upgrade is logged when its connection is over, which may be a while after its client's.
      await ask(t, proxy.port, get('/good', 'Connection: close'));
      for (const line of taken(proxy)) known.delete(line);
    }
    assert.deepEqual([...known], [], 'the site saw only what the proxy took for a request');
    for (const line of site.seen) {
      const hidden = / \/hidden(\d+)/.exec(line)?.[1];
      assert.ok(hidden === undefined || !clear.has(Number(hidden)), `smuggled: ${line}`);
    }
    assert.ok(site.seen.length > BATCHES * 4, 'many of them did reach the site');
  });
}
