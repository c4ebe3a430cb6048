import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../../src/probe/ask.ts';
import type { Made } from './replies.ts';
import { answered, failed, reported, told } from './replies.ts';

const SESSION = ['Cookie', 'SESSION=s3cret; lang=de', 'Accept-Language', 'de'];
const PRIVATE = { vary: ['cookie:SESSION'] };
const PUBLIC = { vary: [] };
const A = answered({ who: 'a' });
const B = answered({ who: 'b' });

const twice = (reply: Reply) => [reply, reply];
const sharing = (...args: Parameters<typeof reported>) => told(reported(...args).findings.sharing);
const ofNobody = (made: Made, settings: object = PUBLIC) =>
  sharing({ nobody: twice(answered({}, made)) }, { ...settings });

test('every sign of a personal answer is told, each with what the config can say to it', () => {
  const headers = { vary: 'Accept-Encoding, X-Tenant, Cookie', 'cache-control': 'no-store' };
  assert.deepEqual(ofNobody({ headers, setCookies: ['SID=s3cret; Path=/', 'x=1'] }), [
    'warning set-cookie: its answers set a cookie ("SID"); "setCookie" says what that means; where all is for everybody:',
    '"setCookie": "drop"',
    'warning vary: its answers vary on "x-tenant", which is not in "vary"',
    '"vary": ["x-tenant", "cookie"]',
    'warning cache-control: its answers say "no-store"; "cacheControl": "ignore" shares them all the same; where all is for everybody:',
    '"cacheControl": "ignore"',
  ]);
});

test('what the config allows is not told', () => {
  const headers = { vary: 'x-tenant', 'cache-control': 'private' };
  const allowed = { setCookie: 'drop', cacheControl: 'ignore', headers: { 'X-Tenant': '7' } };
  assert.deepEqual(ofNobody({ headers, setCookies: ['a=1'] }, { ...PUBLIC, ...allowed }), []);
});

test('answers that vary on everything have no line', () => {
  assert.deepEqual(ofNobody({ headers: { vary: '*' } }), [
    'warning vary: its answers vary on "*", which is not in "vary"',
  ]);
});

test('a private endpoint may give nobody a session', () => {
  assert.deepEqual(ofNobody({ setCookies: ['SESSION=1'] }, PRIVATE), [
    'note set-cookie: its answers set a cookie ("SESSION"); "setCookie" says what that means; with a session (-H) they may not',
  ]);
});

test('what a client sends and gets back is no new cookie', () => {
  const given = ['Cookie', 'SESSION=s3cret'];
  const client = twice(answered({ who: 'a' }, { setCookies: ['SESSION=s3cret; Path=/'] }));
  const [text, ...rest] = sharing({ nobody: twice(B), client }, PRIVATE, given);
  assert.deepEqual(
    [text, rest],
    ['note varies-as-said: it depends on who asks, as "vary" says', []],
  );
});

test('a public answer that is another one with a cookie needs it in "vary"', () => {
  assert.deepEqual(sharing({ nobody: twice(A), request: [B] }, PUBLIC, ['Cookie', 'SESSION=1']), [
    'warning depends-on-who-asks: it depends on who asks: it is another one with cookie:SESSION, which polls do not carry',
    '"vary": ["cookie:SESSION"]',
  ]);
});

test('of several credentials one may be enough; of the rest nothing is said', () => {
  assert.deepEqual(sharing({ nobody: twice(A), request: [B] }, PUBLIC, SESSION), [
    'warning depends-on-who-asks: it depends on who asks: it is another one with one of cookie:SESSION, cookie:lang, which polls do not carry',
    '"vary": ["cookie:SESSION", "cookie:lang"]',
  ]);
});

test('what depends on who asks is not to be shared by "setCookie" or "cacheControl"', () => {
  const made = { headers: { 'cache-control': 'private', vary: 'cookie' }, setCookies: ['x=1'] };
  const observed = { nobody: twice(answered({ a: 1 }, made)), request: [B] };
  assert.deepEqual(
    sharing(observed, PUBLIC, ['Cookie', 'SESSION=1']).filter((line) => line.startsWith('"')),
    ['"vary": ["cookie:SESSION"]', '"vary": ["cookie:SESSION"]'],
  );
});

test('what changes by itself is no difference between those who ask', () => {
  const at = (n: number) => answered({ at: n, who: 'a' });
  const given = ['Cookie', 'SESSION=1'];
  assert.deepEqual(sharing({ nobody: [at(1), at(3)], request: [at(2)] }, PUBLIC, given), [
    'note same-for-all: the same with and without cookie:SESSION, which polls do not carry',
  ]);
  const other = answered({ at: 2, who: 'b' });
  assert.match(
    sharing({ nobody: [at(1), at(3)], request: [other] }, PUBLIC, given)[0] ?? '',
    /^warning depends-on-who-asks/,
  );
});

test('what changed for good between the polls is no difference either', () => {
  assert.match(
    sharing({ nobody: [A, B], request: [B] }, PUBLIC, ['Cookie', 'a=1'])[0] ?? '',
    /^note same-for-all/,
  );
});

test('of what differs each time in no part that has a name it cannot be told', () => {
  const observed = { nobody: [answered([1]), answered({ a: 2 })], request: [answered('3')] };
  assert.deepEqual(sharing(observed, PUBLIC, ['Cookie', 'a=1']), [
    'note who-asks-untried: whether it depends on cookie:a too cannot be told: it differs from poll to poll',
  ]);
});

test('a request that is refused while the poll is not depends on who asks', () => {
  const request = [answered('', { status: 403 })];
  assert.deepEqual(sharing({ nobody: twice(A), request }, PUBLIC, ['Authorization', 'Basic x']), [
    'warning depends-on-who-asks: a request with the given headers is refused (403), and the poll has an answer',
  ]);
});

test('a private endpoint that gives nobody the same could be public', () => {
  const observed = { nobody: twice(A), client: twice(A) };
  assert.match(
    sharing(observed, PRIVATE, SESSION)[0] ?? '',
    /^note same-for-all: .* "vary": \[\] lets/,
  );
});

test('a private endpoint that refuses nobody is as its "vary" says', () => {
  for (const [nobody, words] of [
    [answered('', { status: 401 }), 'nobody is refused (401)'],
    [failed(), 'nobody gets no answer'],
  ] as const) {
    assert.deepEqual(sharing({ nobody: [nobody], client: twice(A) }, PRIVATE, SESSION), [
      `note varies-as-said: ${words}: it depends on who asks, as "vary" says`,
    ]);
  }
});

test('a part of the request that the poll of the client lacks is found', () => {
  const observed = { nobody: twice(A), client: twice(A), request: [B] };
  assert.deepEqual(sharing(observed, PRIVATE, SESSION).slice(0, 2), [
    'warning depends-on-who-asks: it depends on who asks: it is another one with cookie:lang, which polls do not carry',
    '"vary": ["cookie:SESSION", "cookie:lang"]',
  ]);
});

test('of what sessions share the config says that it is "authorizedBy" something', () => {
  const settings = { authorizedBy: ['cookie:SESSION'] };
  const given = ['Cookie', 'SESSION=s3cret'];
  const refused = { nobody: [answered('', { status: 401 })], client: twice(A) };
  assert.match(
    sharing(refused, settings, given)[0] ?? '',
    /^note varies-as-said.*"authorizedBy" says$/,
  );
  const open = { nobody: twice(A), client: twice(A) };
  assert.match(
    sharing(open, settings, given)[0] ?? '',
    /^note same-for-all.*"authorizedBy" is not/,
  );
});
