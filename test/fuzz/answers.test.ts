import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import { cut, mutate } from './mutate.ts';
import type { Random } from './random.ts';
import { createRandom, SEED } from './random.ts';

const BATCHES = 60;
const CASES_PER_BATCH = 20;
const POLL_ROUNDS = 30;
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Poison: 1\r\n\r\npoison';

/** An answer that is in order. */
function build(random: Random): string {
  const status = random.pick([
    '200 OK',
    '200 OK',
    '404 Not Found',
    '302 Found',
    '204 No Content',
    '304 Not Modified',
    '206 Partial',
  ]);
  const type = random.pick([
    'text/html; charset=utf-8',
    'application/json',
    'text/event-stream',
    'text/plain',
  ]);
  const body = random.pick([
    '{"n":1}',
    '<html><head></head>http://push.example/x</html>',
    '',
    POISON,
    'x'.repeat(5_000),
  ]);
  const head = `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nSet-Cookie: a=b\r\nETag: "a"\r\n`;
  const early = random.pick([
    '',
    '',
    '',
    'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    'HTTP/1.1 100 Continue\r\n\r\n',
  ]);
  const framing = random.int(4);
  if (framing === 0) return early + switching('X-A: b') + body;
  if (framing === 1) return `${early}${head}\r\n${body}`;
  if (framing === 2) return `${early}${head}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)};a=b\r\n${body}\r\n`;
  const length = random.chance(0.3) ? 'Content-Length: 2\r\n' : '';
  return `${early}${head}${length}Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n${chunk}0\r\nX-Sum: 1\r\n\r\n`;
}

/** A site that answers `/good…` by its path, and all else by what a mutation has made. */
function startLiar(t: TestContext, random: Random) {
  return startRawUpstream(t, (peer) => {
    peer.socket.on('data', (bytes: Buffer) => {
      const good = /^GET (\/good\S*) /.exec(bytes.toString('latin1'))?.[1];
      if (good === undefined) lie(peer, random);
      else peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`);
    });
  });
}

function lie(peer: RawPeer, random: Random): void {
  const answer = random.chance(0.1) ? build(random) : mutate(build(random), random);
  for (const part of cut(answer, random)) peer.send(part);
  if (random.chance(0.3)) peer.send(POISON);
  const ending = random.int(4);
  if (ending === 0) peer.reset();
  else if (ending < 3) peer.socket.end();
}

const REQUESTS = [
  get('/page'),
  get('/page', 'TE: trailers', 'Accept-Encoding: gzip'),
  'HEAD /page HTTP/1.1\r\nHost: site.test\r\n\r\n',
  'GET /page HTTP/1.0\r\nHost: site.test\r\n\r\n',
  'POST /page HTTP/1.1\r\nHost: site.test\r\nContent-Length: 2\r\n\r\nhi',
  'POST /page HTTP/1.1\r\nHost: site.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi',
  'POST /page HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
  get('/push/chat'),
  'POST /push/chat HTTP/1.1\r\nHost: site.test\r\nContent-Length: 2\r\n\r\nhi',
  upgrade(),
  upgrade('/push/ws'),
];

for (const lenient of [false, true]) {
  test(`mutated answers end nothing and poison nobody: lenient ${lenient}, seed ${SEED}`, {
    timeout: 120_000,
  }, async (t) => {
    const random = createRandom(SEED);
    const upstream = await startLiar(t, random);
    const proxy = await startTestProxy(t, {
      site: { url: upstream.url, lenient },
      comet: { '/push': { origin: `${upstream.url}/push/`, lenient, rewriteUrls: true } },
    });
    for (let batch = 0; batch < BATCHES; batch++) {
      const clients = Array.from({ length: CASES_PER_BATCH }, () => {
        const request = random.pick(REQUESTS);
        const client = connectRaw(t, proxy.port);
        client.send(request);
        return { request, client };
      });
      for (const path of [`/good${batch}a`, `/good${batch}b`]) {
        const answer = await ask(t, proxy.port, get(path, 'Connection: close'));
        assert.deepEqual([answer.status, answer.body], [200, path], `batch ${batch}`);
      }
      for (const { request, client } of clients) {
        const method = request.split(' ', 1)[0] ?? '';
        const text = client.received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
        const answer = parseAnswer(text, { method });
        // SECURITY: what a client takes for the answer to its next request must be none of the site.
        const isPlain = answer && answer.status !== 101 && answer.isWhole;
        if (isPlain) assert.equal(answer.rest, '', JSON.stringify(text));
        client.reset();
        await client.closed;
      }
    }
    assert.deepEqual(
      proxy.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });

  test(`mutated answers to polls end nothing: lenient ${lenient}, seed ${SEED}`, {
    timeout: 120_000,
  }, async (t) => {
    const random = createRandom(SEED + 1);
    const clock = createFakeClock();
    const upstream = await startLiar(t, random);
    const proxy = await startTestProxy(
      t,
      {
        site: { url: upstream.url, lenient },
        comet: { '/push': { origin: 'http://push.example/', rewriteUrls: true } },
        live: { '/state/:n': { every: '1s', vary: [], patch: 'json', linger: '0s' } },
      },
      clock,
    );
    for (let round = 0; round < POLL_ROUNDS; round++) {
      const streams = Array.from({ length: CASES_PER_BATCH }, (_, n) => {
        const client = connectRaw(t, proxy.port);
        client.send(get(`/state/${n}`, 'Accept: text/event-stream'));
        return client;
      });
      for (const path of [`/good${round}a`, `/good${round}b`]) {
        const answer = await ask(t, proxy.port, get(path, 'Connection: close'));
        assert.deepEqual([answer.status, answer.body], [200, path], `round ${round}`);
        await clock.advance(2_000);
      }
      for (const stream of streams) {
        stream.reset();
        await stream.closed;
      }
    }
    assert.ok(upstream.connections.length > POLL_ROUNDS, 'many polls were sent');
    assert.deepEqual(
      proxy.lines.filter(({ level }) => level === 'error'),
      [],
    );
  });
}
