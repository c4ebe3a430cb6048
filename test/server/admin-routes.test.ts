import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ADMIN_ERRORS } from '../../src/server/admin-route.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { AUTHORIZED, codeOf, JSON_BODY, post, startAdmin, TOKEN } from './admin-scene.ts';

const refresh = (query: string) => post(`/_comet/refresh${query}`, [AUTHORIZED]);
const urls = (count: number) => `?${Array.from({ length: count }, () => 'url=/a').join('&')}`;
const explain = (value: unknown, type = JSON_BODY) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return post('/_comet/explain', [type], Buffer.from(text).toString('latin1'));
};

test('refresh hands on the URL with its query, and answers 202 with the channels', async (t) => {
  const handlers = { refresh: () => ({ channels: 3 }) };
  const admin = await startAdmin(t, { token: TOKEN, handlers });
  const answer = await admin.ask(refresh('?url=%2Fapi%2Forders%3Fpage%3D2%26x'));
  assert.equal(answer.status, 202);
  assert.deepEqual(JSON.parse(answer.body), { channels: 3 });
  assert.deepEqual(admin.refreshed, ['/api/orders?page=2&x']);
});

test('several URLs are refreshed in order, and their channels counted together', async (t) => {
  const handlers = { refresh: (url: string) => ({ channels: url.length }) };
  const admin = await startAdmin(t, { token: TOKEN, handlers });
  const answer = await admin.ask(refresh('?url=/a&url=/bc&url=/a'));
  assert.deepEqual(JSON.parse(answer.body), { channels: 7 });
  assert.deepEqual(admin.refreshed, ['/a', '/bc', '/a']);
});

test('32 URLs may be refreshed at once, and no more', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  assert.equal((await admin.ask(refresh(urls(32)))).status, 202);
  const answer = await admin.ask(refresh(urls(33)));
  assert.deepEqual([answer.status, codeOf(answer)], [400, 'BAD_PARAMETER']);
  assert.match(answer.body, /more than 32/);
  assert.equal(admin.refreshed.length, 32);
});

test('a refresh without a URL, or with another parameter, does nothing', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN });
  for (const query of ['', '?', '?urls=/a', '?url=/a&force=1', '?Url=/a']) {
    const answer = await admin.ask(refresh(query));
    assert.equal(answer.status, 400, query);
  }
  assert.deepEqual(admin.refreshed, []);
});

test('what the proxy thinks of a URL decides the status', async (t) => {
  const handlers = {
    refresh() {
      throw new ProxyError('BAD_URL', 'not a URL of this site: "//evil.example/x"');
    },
  };
  const admin = await startAdmin(t, { token: TOKEN, handlers });
  const answer = await admin.ask(refresh('?url=//evil.example/x'));
  assert.deepEqual([answer.status, codeOf(answer)], [400, 'BAD_URL']);
  assert.doesNotMatch(answer.body, /evil/, 'the detail is for the log');
});

test('100 URLs may be refreshed at once and 50 a second; others are told when', async (t) => {
  const clock = createFakeClock();
  const admin = await startAdmin(t, { token: TOKEN, clock });
  for (const count of [32, 32, 32, 4]) {
    assert.equal((await admin.ask(refresh(urls(count)))).status, 202);
  }
  const refused = await admin.ask(refresh(urls(1)));
  assert.deepEqual([refused.status, codeOf(refused)], [429, 'TOO_MANY_REFRESHES']);
  assert.deepEqual(refused.values('retry-after'), ['1']);
  assert.equal(admin.refreshed.length, 100, 'nothing of a refused request was done');

  await clock.advance(20);
  assert.equal((await admin.ask(refresh(urls(1)))).status, 202);
  assert.equal((await admin.ask(refresh(urls(1)))).status, 429);
  await clock.advance(1_000);
  assert.equal((await admin.ask(refresh(urls(32)))).status, 202);
  assert.equal((await admin.ask(refresh(urls(18)))).status, 202);
  assert.equal((await admin.ask(refresh(urls(1)))).status, 429);
  await clock.advance(60_000);
  for (const count of [32, 32, 32, 4]) {
    assert.equal((await admin.ask(refresh(urls(count)))).status, 202);
  }
  assert.equal((await admin.ask(refresh(urls(1)))).status, 429, 'a long rest saves up no more');
});

test('refused tokens cost nothing of that rate', async (t) => {
  const admin = await startAdmin(t, { token: TOKEN, clock: createFakeClock() });
  for (let i = 0; i < 5; i++) {
    assert.equal((await admin.ask(post(`/_comet/refresh${urls(32)}`))).status, 401);
  }
  assert.equal((await admin.ask(refresh(urls(32)))).status, 202);
});

test('a question is handed on as it was asked', async (t) => {
  const admin = await startAdmin(t);
  const headers = [
    ['Cookie', 'SESSION=1; x=\xfc'],
    ['cookie', 'SESSION=2'],
  ];
  const question = { url: 'https://shop.example/a?b', headers, method: 'POST', body: '{"a":1}' };
  const answer = await admin.ask(explain(question));
  assert.equal(answer.status, 200);
  assert.equal(JSON.parse(answer.body).route, 'site');
  const { url: target, ...rest } = question;
  assert.deepEqual(admin.questions, [{ target, ...rest, headers: headers.flat() }]);
});

test('a question needs a URL only', async (t) => {
  const admin = await startAdmin(t);
  assert.equal((await admin.ask(explain({ url: '/a' }))).status, 200);
  assert.deepEqual(admin.questions, [{ target: '/a', method: 'GET', headers: [] }]);
});

test('the content type may have parameters', async (t) => {
  const admin = await startAdmin(t);
  const type = 'Content-Type: Application/JSON; charset=utf-8';
  assert.equal((await admin.ask(explain({ url: '/a' }, type))).status, 200);
});

const NO_QUESTIONS: readonly [rule: string, value: unknown][] = [
  ['nothing', ''],
  ['no JSON', 'url=/a'],
  ['a list', []],
  ['null', 'null'],
  ['a text', '"/a"'],
  ['no URL', {}],
  ['a URL that is no text', { url: 1 }],
  ['a URL that is too long', { url: `/${'a'.repeat(8_192)}` }],
  ['an unknown member', { url: '/a', token: TOKEN }],
  ['a prototype', '{"url":"/a","__proto__":{"x":1}}'],
  ['headers as an object', { url: '/a', headers: { cookie: 'a=1' } }],
  ['headers in a flat list', { url: '/a', headers: ['cookie', 'a=1'] }],
  ['a header of three parts', { url: '/a', headers: [['cookie', 'a=1', 'b']] }],
  ['a header without value', { url: '/a', headers: [['cookie']] }],
  ['a header with a line break', { url: '/a', headers: [['cookie', 'a\r\nb: c']] }],
  ['a header name that is none', { url: '/a', headers: [['coo kie', 'a']] }],
  ['a header value beyond a byte', { url: '/a', headers: [['cookie', 'a=\u20ac']] }],
  ['too many headers', { url: '/a', headers: Array.from({ length: 101 }, () => ['a', 'b']) }],
  ['a method that is none', { url: '/a', method: 'GET /x' }],
  ['an empty method', { url: '/a', method: '' }],
  ['a body that is no text', { url: '/a', body: { a: 1 } }],
];
for (const [rule, value] of NO_QUESTIONS) {
  test(`${rule} is no question`, async (t) => {
    const admin = await startAdmin(t);
    const answer = await admin.ask(explain(value));
    assert.deepEqual([answer.status, codeOf(answer)], [400, 'BAD_BODY']);
    assert.deepEqual(admin.questions, []);
  });
}

test('a question may have 64 KiB, and no more', async (t) => {
  const admin = await startAdmin(t);
  const sized = (bytes: number) => {
    const empty = JSON.stringify({ url: '/a', body: '' });
    return { url: '/a', body: 'x'.repeat(bytes - empty.length) };
  };
  assert.equal((await admin.ask(explain(sized(65_536)))).status, 200);
  const answer = await admin.ask(explain(sized(65_537)));
  assert.deepEqual([answer.status, codeOf(answer)], [413, 'BODY_TOO_LARGE']);
  assert.equal(admin.questions.length, 1);
});

test('the documentation names every refusal with its status', () => {
  const docs = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  for (const [code, [status]] of Object.entries(ADMIN_ERRORS)) {
    assert.match(docs, new RegExp(`^\\| ${status} +\\| \`${code}\` +\\| `, 'm'));
  }
});
