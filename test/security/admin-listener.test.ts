import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createAdminGuard } from '../../src/server/admin-guard.ts';
import type { AdminRoute } from '../../src/server/admin-route.ts';
import { jsonAnswer } from '../../src/server/admin-route.ts';
import type { TestAdmin } from '../server/admin-scene.ts';
import {
  AUTHORIZED,
  codeOf,
  JSON_BODY,
  post,
  socketPath,
  startAdmin,
  TOKEN,
} from '../server/admin-scene.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';

const REFRESH = '/_comet/refresh?url=/a';
const QUESTION = JSON.stringify({ url: '/a' });

/** A refresh that would be done, but for what is changed in it. */
const authorized = (...lines: string[]) => post(REFRESH, [AUTHORIZED, ...lines]);
const withHost = (host: string) => authorized().replace('Host: localhost', `Host: ${host}`);

async function assertRefused(
  admin: TestAdmin,
  request: string,
  expected: readonly [status: number, code: string],
): Promise<void> {
  const answer = await admin.ask(request);
  assert.deepEqual([answer.status, codeOf(answer)], expected, request);
  assert.deepEqual(admin.refreshed, []);
  assert.deepEqual(admin.questions, []);
  assert.doesNotMatch(answer.body, new RegExp(TOKEN));
  const cors = answer.headers.filter(([name]) => /^access-control-/i.test(name));
  assert.deepEqual(cors, [], 'nothing allows a page to read it');
}

const OWN_HOSTS = ['127.0.0.1', '127.0.0.1:9090', '10.0.0.7:9090', '[::1]', '[::1]:9090'];
for (const host of [...OWN_HOSTS, 'localhost', 'LocalHost:9090']) {
  test(`the Host "${host}" cannot be somebody else's name for us`, async (t) => {
    const admin = await startAdmin(t, { token: TOKEN });
    assert.equal((await admin.ask(withHost(host))).status, 202);
  });
}

const FOREIGN_HOSTS = [
  'rebind.evil.example',
  'rebind.evil.example:9090',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '127.0.0.1.nip.io:9090',
  'evil.example:127',
  'localhost.',
  '127.0.0.1.',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '[::1',
  '::1',
  '[localhost]',
  '[127.0.0.1]',
  'localhost:9090:9090',
  'localhost, evil.example',
  'user@localhost',
  'localhost/',
  '',
];
for (const host of FOREIGN_HOSTS) {
  test(`DNS rebinding: the Host "${host}" is refused, token or not`, async (t) => {
    const admin = await startAdmin(t, { token: TOKEN });
    await assertRefused(admin, withHost(host), [403, 'HOST_NOT_LOCAL']);
    const open = await startAdmin(t);
    const question = post('/_comet/explain', [JSON_BODY], QUESTION);
    const changed = question.replace('Host: localhost', `Host: ${host}`);
    await assertRefused(open, changed, [403, 'HOST_NOT_LOCAL']);
  });
}

test('DNS rebinding: no Host, and a second one, are refused', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  const none = authorized().replace('Host: localhost\r\n', '').replace('HTTP/1.1', 'HTTP/1.0');
  await assertRefused(admin, none, [403, 'HOST_NOT_LOCAL']);
  const two = authorized('Host: rebind.evil.example');
  assert.equal((await admin.ask(two)).status >= 400, true);
  assert.deepEqual(admin.refreshed, []);
});

const FROM_PAGES: readonly [rule: string, lines: readonly string[]][] = [
  ['a form of another site', ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']],
  ['a form of an old browser', ['Origin: https://evil.example']],
  ['a sandboxed frame', ['Origin: null']],
  ['a page of a port next to ours', ['Origin: http://127.0.0.1:3000', 'Sec-Fetch-Site: same-site']],
  ['a page that was rebound to us', ['Origin: http://127.0.0.1:9090']],
  ['an empty Origin', ['Origin:']],
  ['fetch with "no-cors"', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors']],
  ['an image of a page', ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Dest: image']],
  ['a sibling of the site', ['Sec-Fetch-Site: same-site']],
  ['two words on where it is from', ['Sec-Fetch-Site: none', 'Sec-Fetch-Site: cross-site']],
  ['a word that nobody knows', ['Sec-Fetch-Site: None']],
];
for (const [rule, lines] of FROM_PAGES) {
  test(`cross-site request: ${rule} is refused, also with the token`, async (t) => {
    const admin = await startAdmin(t, { token: TOKEN });
    await assertRefused(admin, authorized(...lines), [403, 'FROM_A_PAGE']);
    const unix = await startAdmin(t, { path: socketPath(t) });
    await assertRefused(unix, post(REFRESH, lines), [403, 'FROM_A_PAGE']);
  });
}

test('what a person opens in a browser is no request of a page', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  assert.equal((await admin.ask(authorized('Sec-Fetch-Site: none'))).status, 202);
  assert.equal((await admin.ask(authorized('Sec-Fetch-Site: same-origin'))).status, 202);
});

const FORM_TYPES = [
  ['application/x-www-form-urlencoded'],
  ['multipart/form-data; boundary=x'],
  ['text/plain'],
  ['text/plain; x=application/json'],
  ['application/json-seq'],
  [],
  ['text/plain', 'application/json'],
  ['application/json', 'text/plain'],
];
for (const types of FORM_TYPES) {
  test(`cross-site request: a question as ${types.join(' and ') || 'nothing'} is none`, async (t) => {
    const admin = await startAdmin(t);
    const lines = types.map((type) => `Content-Type: ${type}`);
    const request = post('/_comet/explain', lines, QUESTION);
    const answer = await admin.ask(request);
    assert.ok(answer.status === 415 || answer.status === 400, String(answer.status));
    assert.deepEqual(admin.questions, []);
  });
}

test('a preflight is refused: no page may ask with other headers', async (t) => {
  const admin = await startAdmin(t);
  const lines = ['Origin: https://evil.example', 'Access-Control-Request-Method: POST'];
  const request = post('/_comet/explain', lines).replace('POST /', 'OPTIONS /');
  await assertRefused(admin, request, [403, 'FROM_A_PAGE']);
});

const NO_TOKENS: readonly [rule: string, lines: readonly string[]][] = [
  ['no token', []],
  ['another token', [`Authorization: Bearer ${TOKEN.replace('f', 'e')}`]],
  ['a token in capitals', [`Authorization: Bearer ${TOKEN.toUpperCase()}`]],
  ['the beginning of the token', [`Authorization: Bearer ${TOKEN.slice(0, -1)}`]],
  ['more than the token', [`Authorization: Bearer ${TOKEN}x`]],
  ['an empty token', ['Authorization: Bearer ']],
  ['the token alone', [`Authorization: ${TOKEN}`]],
  ['the token as a password', [`Authorization: Basic ${btoa(`admin:${TOKEN}`)}`]],
  ['the token as a cookie', [`Cookie: token=${TOKEN}; Authorization=Bearer ${TOKEN}`]],
  ['the token in another header', [`X-Authorization: Bearer ${TOKEN}`, `X-Token: ${TOKEN}`]],
  ['two tokens, of which one is right', [AUTHORIZED, 'Authorization: Bearer wrong']],
];
for (const [rule, lines] of NO_TOKENS) {
  test(`with ${rule} everything is refused, unknown paths too`, async (t) => {
    const admin = await startAdmin(t, { token: TOKEN });
    const unauthorized = [401, 'UNAUTHORIZED'] as const;
    await assertRefused(admin, post(REFRESH, lines), unauthorized);
    const question = post('/_comet/explain', [JSON_BODY, ...lines], QUESTION);
    await assertRefused(admin, question, unauthorized);
    await assertRefused(admin, post('/nothing', lines), unauthorized);
    await assertRefused(admin, post(REFRESH, lines).replace('POST', 'PUT'), unauthorized);
    const { values } = await admin.ask(post(REFRESH, lines));
    assert.deepEqual(values('www-authenticate'), ['Bearer realm="comet-proxy"']);
  });
}

test('the scheme of the token may be written in any case', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  assert.equal((await admin.ask(post(REFRESH, [`authorization: bearer ${TOKEN}`]))).status, 202);
});

test('a token in the query counts for nothing, and is a mistake beside the right one', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  for (const name of ['token', 'access_token', 'authorization']) {
    const target = `${REFRESH}&${name}=${TOKEN}`;
    await assertRefused(admin, post(target), [401, 'UNAUTHORIZED']);
    await assertRefused(admin, post(target, [AUTHORIZED]), [400, 'BAD_PARAMETER']);
  }
});

test('without a token in the config nobody may refresh, whatever they send', async (t) => {
  const admin = await startAdmin(t);
  await assertRefused(admin, post(REFRESH), [403, 'NO_TOKEN_SET']);
  await assertRefused(admin, authorized(), [403, 'NO_TOKEN_SET']);
  assert.match((await admin.ask(post(REFRESH))).body, /set \\"token\\" of \\"admin\\"/);
});

const PROXY_LINES = [
  'Via: 1.1 proxy',
  'X-Forwarded-For: 203.0.113.9',
  'Forwarded: for=203.0.113.9',
];
for (const line of PROXY_LINES) {
  test(`"${line}" shows that it is not of this machine: then it needs a token`, async (t) => {
    const question = (...lines: string[]) =>
      post('/_comet/explain', [JSON_BODY, line, ...lines], QUESTION);
    const open = await startAdmin(t);
    await assertRefused(open, question(), [403, 'FROM_A_PROXY']);
    const unix = await startAdmin(t, { path: socketPath(t) });
    await assertRefused(unix, question(), [403, 'FROM_A_PROXY']);
    const guarded = await startAdmin(t, { token: TOKEN });
    assert.equal((await guarded.ask(question(AUTHORIZED))).status, 200);
  });
}

test('tokens are compared in one time by construction: hashes of one length, not texts', () => {
  const source = readFileSync(new URL('../../src/server/admin-guard.ts', import.meta.url), 'utf8');
  assert.match(source, /timingSafeEqual\(hash\(given \?\? ''\), wanted\)/);
  assert.doesNotMatch(
    source,
    /[=!]==? token|token [=!]==? (?!undefined)|token\.(?:equals|startsWith)/,
  );
  // timingSafeEqual throws on texts of different lengths: hashes make one length of all.
  const guard = createAdminGuard({ token: TOKEN, isUnix: true });
  for (const given of ['x', TOKEN.slice(1), 'x'.repeat(4_000)]) {
    assert.throws(() => guard(['authorization', `Bearer ${given}`]), { code: 'UNAUTHORIZED' });
  }
  guard(['authorization', `Bearer ${TOKEN}`]);
});

test('wrong tokens are told in the log once a minute, and never repeated there', async (t) => {
  const clock = createFakeClock();
  const admin = await startAdmin(t, { token: TOKEN, clock });
  const warnings = () => admin.lines.filter(({ level }) => level === 'warn').length;
  const wrong = post(`${REFRESH}&token=${TOKEN}`, [`Authorization: Bearer guess-${TOKEN}`]);
  for (let i = 0; i < 3; i++) await admin.ask(wrong);
  assert.equal(warnings(), 1);
  await clock.advance(60_000);
  await admin.ask(wrong);
  assert.equal(warnings(), 2);
  assert.doesNotMatch(JSON.stringify(admin.lines), new RegExp(TOKEN));
  assert.match(JSON.stringify(admin.lines), /127\.0\.0\.1/);
});

/** Nothing ends by these. */
const PATIENT = { headersMs: 3_600_000, requestMs: 3_600_000, silenceMs: 3_600_000 };

test('a body of more than a megabyte ends the connection, answered or not', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN, times: PATIENT });
  const peer = connectRaw(t, admin.port);
  const head = authorized().replace('Content-Length: 0', 'Content-Length: 1000000000');
  peer.send(head.replace('Connection: close\r\n', ''));
  await flood(peer);
  assert.ok(admin.refreshed.length <= 1);
});

test('a question without end is refused, and its connection ended', async (t) => {
  const admin = await startAdmin(t, { times: PATIENT });
  const peer = connectRaw(t, admin.port);
  const head = post('/_comet/explain', [JSON_BODY, 'Transfer-Encoding: chunked']);
  peer.send(head.replace('Content-Length: 0\r\n', '').replace('Connection: close\r\n', ''));
  await flood(peer, (piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
  assert.deepEqual(admin.questions, []);
});

/** Send until the other side has had enough. */
async function flood(peer: RawPeer, framed = (piece: string) => piece): Promise<void> {
  const piece = framed('x'.repeat(16_384));
  let isOver = false;
  const closed = peer.closed.then(() => {
    isOver = true;
  });
  while (!isOver) {
    peer.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
}

test('a head that is too large is refused', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  const answer = await admin.ask(authorized(`X: ${'x'.repeat(20_000)}`));
  assert.equal(answer.status, 431);
  assert.deepEqual(admin.refreshed, []);
});

test('requests whose end servers see in different places are refused', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  for (const line of ['Transfer-Encoding: chunked', 'Content-Length: 5', 'Transfer-Encoding: x']) {
    const answer = await admin.ask(authorized(line));
    assert.equal(answer.status, 400, line);
  }
  assert.deepEqual(admin.refreshed, []);
});

const SLOW = { headersMs: 50, requestMs: 100, checkMs: 10, idleMs: 20, silenceMs: 60_000 };

/** Send a byte now and then, for as long as the connection is there. */
function drip(t: TestContext, peer: RawPeer): void {
  const timer = setInterval(() => peer.send('x'), 10);
  t.after(() => clearInterval(timer));
  void peer.closed.then(() => clearInterval(timer));
}

test('a client that sends its head byte by byte is given up', async (t) => {
  const admin = await startAdmin(t, { times: SLOW });
  const peer = connectRaw(t, admin.port);
  peer.send('POST / HTTP/1.1\r\nHost: localhost\r\nX: ');
  drip(t, peer);
  await peer.closed;
});

test('a client that sends its question byte by byte is given up', async (t) => {
  const admin = await startAdmin(t, { times: SLOW });
  const peer = connectRaw(t, admin.port);
  peer.send(post('/_comet/explain', [JSON_BODY]).replace('Length: 0', 'Length: 60000'));
  drip(t, peer);
  await peer.closed;
  assert.deepEqual(admin.questions, []);
});

test('a client that goes on with a body behind its answer is given up', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN, times: SLOW });
  const peer = connectRaw(t, admin.port);
  const request = authorized().replace('Length: 0', 'Length: 60000');
  peer.send(request.replace('Connection: close\r\n', ''));
  assert.equal((await readAnswer(peer)).status, 202);
  drip(t, peer);
  await peer.closed;
});

test('a client that reads nothing of its answer is given up', async (t) => {
  const large: AdminRoute = {
    method: 'GET',
    path: '/large',
    needsToken: false,
    maxBodyBytes: 0,
    handler: () => jsonAnswer(200, 'x'.repeat(32 * 1_024 * 1_024)),
  };
  const admin = await startAdmin(t, { routes: [large], times: { ...PATIENT, silenceMs: 20 } });
  const peer = connectRaw(t, admin.port);
  peer.send(post('/large').replace('POST', 'GET'));
  await peer.receive('200 OK');
  peer.socket.pause();
  // By a timer of the same process that is set later and runs longer, so that it is always the last.
  await setTimeout(500);
  peer.socket.resume();
  assert.equal((await readAnswer(peer)).isWhole, false);
});

test('a connection on which nothing is said is given up', async (t) => {
  const admin = await startAdmin(t, { times: SLOW });
  await connectRaw(t, admin.port).closed;
});

test('a connection that was used is kept for a while only', async (t) => {
  const admin = await startAdmin(t, { times: SLOW });
  const peer = connectRaw(t, admin.port);
  peer.send(post('/x').replace('Connection: close\r\n', ''));
  assert.equal((await readAnswer(peer)).status, 404);
  await peer.closed;
});

test('there are 128 connections at most', async (t) => {
  const admin = await startAdmin(t, { times: PATIENT });
  const peers = Array.from({ length: 129 }, () => connectRaw(t, admin.port));
  await Promise.race(peers.map(({ closed }) => closed));
  const request = post('/x').replace('Connection: close\r\n', '');
  for (const peer of peers) peer.send(request);
  const ends = peers.map((peer) =>
    readAnswer(peer).then(
      ({ status }) => status,
      () => 'cut',
    ),
  );
  const answers = await Promise.all(ends);
  assert.deepEqual(answers.filter((end) => end === 404).length, 128);
});

test('an upgrade and CONNECT open nothing', async (t) => {
  const admin = await startAdmin(t);
  const upgrade = ['Connection: upgrade', 'Upgrade: websocket'];
  const request = post('/_comet/ws', upgrade).replace('Connection: close\r\n', '');
  assert.equal((await admin.ask(request.replace('POST', 'GET'))).status, 404);
  const peer = connectRaw(t, admin.port);
  peer.send('CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await peer.closed;
  assert.doesNotMatch(peer.received, /^HTTP\/1\.1 2/);
});
