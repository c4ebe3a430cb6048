import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import type { ServerFrame } from './websocket-frames.ts';
import { OPCODE, serverFrames } from './websocket-frames.ts';

/*
 * The length of a compressed text tells whether it repeats itself (CRIME, BREACH): where a secret
 * and a text of an attacker's stand in one state, whoever sees the encrypted lengths learns the
 * secret letter by letter. So what belongs to one client is not compressed unless the config says so.
 */

/** Long, and the same again and again: any compression shows. */
const repeat = (word: string) => JSON.stringify(Array(100).fill(word).join(' '));
const PUBLIC = repeat('everybody');
const SECRET = repeat('token=4711');

const LIVE = {
  '/public': { every: '1h', vary: [] },
  '/private': { every: '1h', vary: ['cookie'] },
  '/by-address': { every: '1h', vary: ['ip'] },
  '/by-query': { every: '1h', vary: ['query:page'] },
  '/compressed': { every: '1h', vary: ['cookie'], compress: true },
  '/plain': { every: '1h', vary: [], compress: false },
};

async function scene(t: TestContext, config: object = {}) {
  const states = Object.keys(LIVE).map((path) => [path, path === '/public' ? PUBLIC : SECRET]);
  const site = await startStates(t, Object.fromEntries(states) as Record<string, string>);
  return startTestProxy(t, { site: site.url, live: LIVE, ...config });
}

/** Open a stream that accepts gzip, until it has so many events; gives its coding and raw bytes. */
async function read(
  t: TestContext,
  port: number,
  target: string,
  { texts, lines = [] }: { texts: readonly string[]; lines?: readonly string[] },
): Promise<{ coding: string[]; bytes: Buffer; text: string }> {
  const peer = connectRaw(t, port);
  peer.send(get(target, 'Accept-Encoding: gzip', 'Cookie: id=1', ...lines));
  const look = () => {
    const answer = parseAnswer(peer.received);
    const coding = answer?.values('content-encoding') ?? [];
    const bytes = Buffer.from(answer?.body ?? '', 'latin1');
    return { coding, bytes, text: coding.includes('gzip') ? unzipped(bytes) : bytes.toString() };
  };
  await until(() => texts.every((text) => look().text.includes(text)));
  return look();
}

/** What is there of a gzip stream that goes on. */
function unzipped(bytes: Buffer): string {
  if (bytes.length <= 10) return '';
  return gunzipSync(bytes, { finishFlush: 2 }).toString();
}

const FORMS: readonly [form: string, target: (url: string) => string, lines?: readonly string[]][] =
  [
    ['bare server-sent events', (url) => url, ['Accept: text/event-stream']],
    ['sse', (url) => `/_comet/sse?url=${url}`],
    ['stream', (url) => `/_comet/stream?url=${url}`],
    ['iframe', (url) => `/_comet/iframe?url=${url}`],
    ['multipart/mixed', (url) => `/_comet/multipart?type=mixed&url=${url}`],
  ];
const SECRET_PART = 'token=4711 token=4711 token=4711';
const PUBLIC_PART = 'everybody everybody everybody';
const COMPRESSED: readonly [url: string, part: string, isCompressed: boolean][] = [
  ['/public', PUBLIC_PART, true],
  ['/private', SECRET_PART, false],
  ['/by-address', SECRET_PART, false],
  ['/by-query?page=1', SECRET_PART, true],
  ['/compressed', SECRET_PART, true],
  ['/plain', SECRET_PART, false],
];
for (const [form, target, lines = []] of FORMS) {
  test(`${form}: what is private is not compressed, unless the config says so`, async (t) => {
    const proxy = await scene(t);
    for (const [url, part, isCompressed] of COMPRESSED) {
      const address = form.startsWith('bare') ? url : encodeURIComponent(url);
      const got = await read(t, proxy.port, target(address), { texts: [part], lines });
      assert.deepEqual(got.coding, isCompressed ? ['gzip'] : [], url);
      assert.equal(got.bytes.includes(part), !isCompressed, url);
    }
  });
}

for (const form of ['sse', 'stream', 'iframe']) {
  test(`${form}: in one stream the private event stands as it is beside the compressed one`, async (t) => {
    const proxy = await scene(t);
    for (const urls of ['url=/public&url=/private', 'url=/private&url=/public']) {
      const texts = [PUBLIC_PART, SECRET_PART];
      const got = await read(t, proxy.port, `/_comet/${form}?${urls}`, { texts });
      assert.deepEqual(got.coding, ['gzip']);
      assert.ok(got.bytes.includes(SECRET_PART), 'the secret is in blocks that are stored');
      assert.ok(!got.bytes.includes(PUBLIC_PART));
      assert.ok(got.bytes.length > SECRET.length, 'so its length tells nothing');
    }
  });
}

test('padding is not compressed: else it would be none', async (t) => {
  const proxy = await scene(t);
  const padding = '&padding=4096';
  const got = await read(t, proxy.port, `/_comet/stream?url=/public${padding}`, {
    texts: [PUBLIC_PART],
  });
  assert.ok(got.bytes.includes(' '.repeat(4_096)));
});

test('long polls are not compressed at all', async (t) => {
  const proxy = await scene(t);
  for (const url of ['/public', '/private', '/compressed']) {
    const request = get(`/_comet/poll?url=${url}`, 'Accept-Encoding: gzip', 'Cookie: id=1');
    const { status, values } = await ask(t, proxy.port, request);
    assert.deepEqual([status, values('content-encoding')], [200, []]);
  }
});

/** The text messages that a WebSocket gets, with compression agreed upon. */
async function messages(
  t: TestContext,
  port: number,
  target: string,
  count: number,
): Promise<ServerFrame[]> {
  const peer = connectRaw(t, port);
  peer.send(upgrade(target, 'Cookie: id=1', 'Sec-WebSocket-Extensions: permessage-deflate'));
  const texts = () => serverFrames(peer.received).filter(({ opcode }) => opcode === OPCODE.text);
  await peer.receive('\r\n\r\n');
  assert.match(peer.received, /^sec-websocket-extensions: permessage-deflate/im);
  await until(() => texts().length >= count);
  return texts();
}

test('a WebSocket: messages of private endpoints are not compressed, beside those that are', async (t) => {
  const proxy = await scene(t, { webSocketCompression: true });
  const target = '/_comet/ws?url=/public&url=/private&url=/compressed&url=/plain';
  const frames = await messages(t, proxy.port, target, 4);
  const plain = frames.filter(({ isCompressed }) => !isCompressed);
  assert.deepEqual(
    plain.map(({ payload }) => (JSON.parse(payload.toString()) as { url: string }).url).sort(),
    ['/plain', '/private'],
  );
  assert.equal(frames.length, 4);
});

test('a bare WebSocket compresses by the same rule', async (t) => {
  const proxy = await scene(t, { webSocketCompression: true });
  for (const [url, part, isCompressed] of COMPRESSED) {
    const [frame] = await messages(t, proxy.port, url, 1);
    assert.equal(frame?.isCompressed, isCompressed, url);
    assert.equal(frame?.payload.includes(part), !isCompressed, url);
  }
});
