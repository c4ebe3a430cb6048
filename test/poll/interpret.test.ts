import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PollOutcome } from '../../src/poll/detect.ts';
import { retryAfterMs } from '../../src/poll/detect.ts';
import type { Retained } from '../../src/poll/judge.ts';
import type { PersonalPolicy } from '../../src/poll/personal.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { answer } from './scripted-fetch.ts';
import { testJudge } from './test-judge.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const HTML_TYPE = { 'content-type': 'text/html; charset=utf-8' };

/** What is known before the answer that a test is about. */
interface Known {
  readonly state: Retained | undefined;
  /** So many 404 have come in a row. */
  readonly missing: number;
  readonly isPrivate: boolean;
}

const KEYED_BY_COOKIE: PersonalPolicy = {
  isPublic: false,
  setCookie: 'end',
  cacheControl: 'obey',
  isKeyed: (header) => header === 'cookie',
  cookies: ['sid=1; theme=dark'],
};

async function interpret(
  given: ReturnType<typeof answer>,
  { state, missing, isPrivate }: Known,
  personal?: PersonalPolicy,
): Promise<PollOutcome> {
  const options = { isPrivate, ...(personal ? { personal } : {}) };
  const judge = testJudge(createFakeClock(), () => state, options);
  for (let i = 0; i < missing; i++) await judge.judge(answer(404));
  return judge.judge(given);
}

/** Nothing is known yet. */
const FIRST: Known = { state: undefined, missing: 0, isPrivate: false };
/** The state is `{"n":1}`. */
const PUBLIC: Known = {
  state: { data: Buffer.from('{"n":1}'), headers: { ...JSON_TYPE, etag: '"1"' } },
  missing: 0,
  isPrivate: false,
};
const PRIVATE: Known = { ...PUBLIC, isPrivate: true };

/** An outcome in short: what the tables compare. */
function short(outcome: PollOutcome): string {
  if (outcome.kind === 'failed') return `failed ${outcome.error.code}`;
  return outcome.kind === 'ended' ? outcome.word : outcome.kind;
}

const TABLE: [rule: string, Parameters<typeof answer>, Known, expected: string][] = [
  ['the first 200 is a change', [200, '{}', JSON_TYPE], FIRST, 'changed'],
  ['another body is a change', [200, '{"n":2}', JSON_TYPE], PUBLIC, 'changed'],
  ['the same body is none', [200, '{"n":1}', JSON_TYPE], PUBLIC, 'unchanged'],
  [
    'a new ETag alone is none',
    [200, '{"n":1}', { ...JSON_TYPE, etag: '"2"' }],
    PUBLIC,
    'unchanged',
  ],
  ['203 counts as 200', [203, '{"n":1}', JSON_TYPE], PUBLIC, 'unchanged'],
  [
    'another content type is a change',
    [200, '{"n":1}', { 'content-type': 'application/hal+json' }],
    PUBLIC,
    'changed',
  ],
  ['a content type that is missing is a change', [200, '{"n":1}', {}], PUBLIC, 'changed'],
  ['204 is a state', [204], FIRST, 'changed'],
  ['204 after a body is a change', [204], PUBLIC, 'changed'],
  ['304 means unchanged', [304], PUBLIC, 'unchanged'],
  ['304 to an unconditional poll is invalid', [304], FIRST, 'failed UPSTREAM_INVALID'],
  ['401 ends', [401], PUBLIC, 'unauthorized'],
  ['403 ends', [403], PRIVATE, 'unauthorized'],
  ['410 ends', [410], PUBLIC, 'gone'],
  ['404 of what never was ends', [404], FIRST, 'gone'],
  ['the first 404 fails', [404], PUBLIC, 'failed UPSTREAM_STATUS'],
  ['the second 404 fails', [404], { ...PUBLIC, missing: 1 }, 'failed UPSTREAM_STATUS'],
  ['the third 404 ends', [404], { ...PUBLIC, missing: 2 }, 'gone'],
  ['a redirect of a private resource ends', [302], PRIVATE, 'unauthorized'],
  [
    'a redirect of a private resource ends at first',
    [307],
    { ...FIRST, isPrivate: true },
    'unauthorized',
  ],
  ['a redirect of a public resource fails', [301], PUBLIC, 'failed UPSTREAM_STATUS'],
  ['206 was not asked for', [206, '{'], PUBLIC, 'failed UPSTREAM_STATUS'],
  ['429 fails', [429], PUBLIC, 'failed UPSTREAM_STATUS'],
  ['500 fails', [500], FIRST, 'failed UPSTREAM_STATUS'],
  ['503 fails', [503], PRIVATE, 'failed UPSTREAM_STATUS'],
  [
    'HTML where private JSON was is a login page',
    [200, '<html>', HTML_TYPE],
    PRIVATE,
    'unauthorized',
  ],
  ['HTML where public JSON was fails', [200, '<html>', HTML_TYPE], PUBLIC, 'failed UPSTREAM_TYPE'],
  ['HTML at first is a state', [200, '<html>', HTML_TYPE], FIRST, 'changed'],
];

for (const [rule, given, known, expected] of TABLE) {
  test(`an answer: ${rule}`, async () => {
    assert.equal(short(await interpret(answer(...given), known)), expected);
  });
}

test('an end and a failure name the status', async () => {
  for (const status of [401, 410, 500]) {
    const outcome = await interpret(answer(status), PUBLIC);
    assert.ok(outcome.kind === 'ended' || outcome.kind === 'failed');
    assert.equal(outcome.status, status);
  }
});

test('an answer that sets a new cookie is personal, changed or not', async () => {
  for (const cookie of ['sid=2', 'sid=; Max-Age=0', 'other=1; Path=/']) {
    const headers = { ...JSON_TYPE, 'set-cookie': cookie };
    for (const given of [
      answer(200, '{"n":1}', headers),
      answer(200, '2', headers),
      answer(304, '', headers),
    ]) {
      assert.equal(short(await interpret(given, PRIVATE, KEYED_BY_COOKIE)), 'personal', cookie);
    }
  }
});

test('a cookie that the poll has sent with the same value says nothing', async () => {
  const given = answer(200, '{"n":1}', { ...JSON_TYPE, 'set-cookie': 'sid=1; Path=/; HttpOnly' });
  assert.equal(short(await interpret(given, PRIVATE, KEYED_BY_COOKIE)), 'unchanged');
});

test('with setCookie "drop" a cookie says nothing', async () => {
  const given = answer(200, '2', { ...JSON_TYPE, 'set-cookie': 'sid=2' });
  const policy = { ...KEYED_BY_COOKIE, setCookie: 'drop' as const };
  assert.equal(short(await interpret(given, PRIVATE, policy)), 'changed');
});

const VARYING: [vary: string, expected: string][] = [
  ['*', 'personal'],
  ['Cookie, User-Agent', 'personal'],
  ['cookie', 'changed'],
  ['Accept-Encoding, Origin', 'changed'],
];
for (const [vary, expected] of VARYING) {
  test(`an answer of a channel keyed by cookie that varies on "${vary}" is ${expected}`, async () => {
    const given = answer(200, '2', { ...JSON_TYPE, vary });
    assert.equal(short(await interpret(given, PRIVATE, KEYED_BY_COOKIE)), expected);
  });
}

const CACHE_CONTROLS: [value: string, expected: string][] = [
  ['private', 'personal'],
  ['no-store', 'personal'],
  ['no-cache, Private="x"', 'personal'],
  ['max-age=1,NO-STORE', 'personal'],
  ['no-cache', 'changed'],
  ['x-private', 'changed'],
];
for (const [value, expected] of CACHE_CONTROLS) {
  test(`an answer of a public endpoint that says "${value}" is ${expected}`, async () => {
    const given = answer(200, '2', { ...JSON_TYPE, 'cache-control': value });
    assert.equal(short(await interpret(given, PUBLIC)), expected);
    assert.equal(short(await interpret(given, PRIVATE, KEYED_BY_COOKIE)), 'changed');
    const policy = { ...KEYED_BY_COOKIE, isPublic: true, cacheControl: 'ignore' as const };
    assert.equal(short(await interpret(given, PUBLIC, policy)), 'changed');
  });
}

test('only headers that describe the state are kept', async () => {
  const kept = {
    ...JSON_TYPE,
    etag: '"2"',
    'last-modified': 'Sat, 01 Jan 2000 00:00:00 GMT',
    'content-language': 'en',
    'cache-control': 'no-cache',
    vary: 'Cookie',
    'content-security-policy': "default-src 'self'",
    'x-frame-options': 'DENY',
    refresh: '3',
  };
  const secret = {
    'set-cookie': 'sid=1; HttpOnly',
    'www-authenticate': 'Basic',
    'access-control-allow-origin': '*',
    'clear-site-data': '"*"',
    'content-encoding': 'identity',
    'content-length': '2',
    'x-user': 'alice',
  };
  const given = answer(200, '{}', { ...secret, ...kept });
  const outcome = await interpret(given, FIRST, KEYED_BY_COOKIE);
  assert.ok(outcome.kind === 'changed');
  assert.deepEqual(outcome.state.headers, kept);
});

const LATIN1 = Buffer.from('caf\u00e9', 'latin1');
const ENCODINGS: [rule: string, type: string, body: string | Buffer, 'utf8' | 'base64'][] = [
  ['UTF-8 travels as it is', 'text/plain; charset=utf-8', 'café ☃ 😀', 'utf8'],
  ['no charset means UTF-8', 'application/json', '"é"', 'utf8'],
  ['an empty body is text', 'image/png', '', 'utf8'],
  ['the name of a charset knows no case', 'text/plain; Charset="UTF8"', 'é', 'utf8'],
  ['bytes that are not UTF-8 travel in base64', 'application/json', LATIN1, 'base64'],
  [
    'an image travels in base64',
    'image/png',
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff]),
    'base64',
  ],
  ['ASCII in latin1 is text', 'text/html; charset=iso-8859-1', 'cafe', 'utf8'],
  ['latin1 that is not ASCII travels in base64', 'text/html; charset=iso-8859-1', LATIN1, 'base64'],
  ['UTF-8 that says it is latin1 is not believed', 'text/html; charset=latin1', 'é', 'base64'],
  ['UTF-16 is not ASCII though its bytes are', 'text/plain; charset=utf-16le', 'a\0b\0', 'base64'],
  ['UTF-32 is not ASCII either', 'text/plain; charset=UTF-32', 'a\0\0\0', 'base64'],
];

for (const [rule, type, body, expected] of ENCODINGS) {
  test(`an encoding: ${rule}`, async () => {
    const outcome = await interpret(answer(200, body, { 'content-type': type }), FIRST);
    assert.ok(outcome.kind === 'changed');
    assert.equal(outcome.state.encoding, expected);
    assert.deepEqual(Buffer.from(outcome.state.data), Buffer.from(body));
  });
}

test('a failure carries the Retry-After of its answer', async () => {
  const outcome = await interpret(answer(503, '', { 'retry-after': '120' }), PUBLIC);
  assert.ok(outcome.kind === 'failed');
  assert.equal(outcome.retryAfterMs, 120_000);
  assert.ok(!('retryAfterMs' in (await interpret(answer(503), PUBLIC))));
});

test('Retry-After is read as seconds or as a date', () => {
  const now = Date.UTC(2025, 0, 1);
  const table: [string | undefined, number | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['soon', undefined],
    ['0', 0],
    [' 30 ', 30_000],
    ['Wed, 01 Jan 2025 00:01:00 GMT', 60_000],
    ['Tue, 31 Dec 2024 23:59:00 GMT', 0],
  ];
  for (const [value, expected] of table) assert.equal(retryAfterMs(value, now), expected, value);
});
