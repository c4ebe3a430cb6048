import assert from 'node:assert/strict';
import type { ClientHttp2Stream } from 'node:http2';
import { test } from 'node:test';
import { askHttp2, readHttp2, request } from '../support/http2-client.ts';
import { startHttp2Proxy } from '../support/http2-proxy.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

const LIVE = { '/state': { every: '50ms', vary: [] } };

/** What a stream has brought so far. */
function collect(stream: ClientHttp2Stream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

test('events flow over HTTP/2, many streams on one connection', async (t) => {
  let state = 1;
  const upstream = await startUpstream(t, (_req, res) => void res.end(`state ${state}`));
  const { proxy, session } = await startHttp2Proxy(t, { site: upstream.url, live: LIVE });
  const targets = [
    ['/state', 'text/event-stream'],
    ['/_comet/sse?url=/state', 'text/event-stream'],
    ['/_comet/stream?url=/state', '*/*'],
    ['/_comet/multipart?url=/state', '*/*'],
  ] as const;
  const streams = targets.map(([path, accept]) =>
    request(session, { ':path': path, accept, 'accept-encoding': 'gzip' }),
  );
  const texts = streams.map(collect);
  await until(() => texts.every((text) => text().includes('state 1')));
  state = 2;
  await until(() => texts.every((text) => text().includes('state 2')));
  for (const text of texts) assert.doesNotMatch(text(), /^[0-9a-f]+\r\n/, 'no chunks of HTTP/1');
  assert.equal(proxy.streamCount, 4);
  streams[0]?.close();
  await until(() => proxy.streamCount === 3);
  session.destroy();
  await until(() => proxy.streamCount === 0);
});

test('a stream over HTTP/2 ends with the hint when to come back', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end('1'));
  const { proxy, session } = await startHttp2Proxy(t, { site: upstream.url, live: LIVE });
  const stream = request(session, { ':path': '/state', accept: 'text/event-stream' });
  const answer = readHttp2(stream);
  await until(() => proxy.streamCount === 1);
  await proxy.drain();
  const { status, body, resetCode } = await answer;
  assert.deepEqual([status, resetCode], [200, 0]);
  assert.match(body, /retry: \d+\n\n$/);
});

test('a client that reads nothing is paused alone, and gets the last state', async (t) => {
  let count = 0;
  const upstream = await startUpstream(t, (_req, res) => {
    count += 1;
    res.end(`${count} ${'x'.repeat(200_000)} end of ${count}`);
  });
  const { session } = await startHttp2Proxy(t, { site: upstream.url, live: LIVE });
  const slow = request(session, { ':path': '/state', accept: 'text/event-stream' });
  const quick = collect(request(session, { ':path': '/_comet/stream?url=/state' }));
  await until(() => quick().includes('end of 5'));
  const behind = collect(slow);
  await until(() => /end of (?:[5-9]|\d\d)/.test(behind()));
});

test('plain requests, long polls and refusals are answered over HTTP/2', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end('state'));
  const { session } = await startHttp2Proxy(t, { site: upstream.url, live: LIVE });
  assert.equal((await askHttp2(session, { ':path': '/other' })).body, 'state');
  assert.equal((await askHttp2(session, { ':path': '/state' })).body, 'state');
  const poll = await askHttp2(session, { ':path': '/_comet/poll?url=/state' });
  assert.deepEqual([poll.status, poll.body.includes('"state"')], [200, true]);
  assert.equal((await askHttp2(session, { ':path': '/_comet/nothing' })).status, 404);
  assert.equal((await askHttp2(session, { ':path': '/_comet/ws?url=/state' })).status, 426);
});

test('the access log names the version, and counts no bytes of others', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => void res.end('1'));
  const log = { access: 'json' };
  const { proxy, session } = await startHttp2Proxy(t, { site: upstream.url, log });
  await askHttp2(session, { ':path': '/page' });
  const entry = () => proxy.lines.find(({ message }) => message === 'request')?.fields;
  await until(() => entry() !== undefined);
  const { url, version, status, bytes } = entry() ?? {};
  assert.deepEqual([url, version, status, bytes], ['/page', '2.0', 200, undefined]);
});
