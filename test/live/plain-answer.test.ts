import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VaryItem } from '../../src/config/vary.ts';
import { isAbsorbable, plainAnswer } from '../../src/live/plain-answer.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { jsonSnapshot } from '../protocol/events.ts';

const DATE = 'Sat, 01 Jan 2000 00:00:00 GMT';
const COOKIES: VaryItem = { kind: 'cookies' };

/** The state `{"n":1}` with the id `a-1` and these headers. */
function stateWith(headers: Record<string, string> = {}): ChannelEvent {
  const state = jsonSnapshot('a-1', '{"n":1}');
  return { ...state, headers: { ...state.headers, ...headers } };
}

const ABSORBABLE: [rule: string, method: string, headers: string[], boolean][] = [
  ['a GET', 'GET', ['Accept, Prefer', '*/*'], true],
  ['a conditional GET', 'GET', ['If-None-Match', '"1"', 'If-Modified-Since', DATE], true],
  ['a GET that says it has no body', 'GET', ['Content-Length', '0'], true],
  ['a GET with a body', 'GET', ['Content-Length', '1'], false],
  ['a GET with a body in chunks', 'GET', ['Transfer-Encoding', 'chunked'], false],
  ['a GET of a part', 'GET', ['Range', 'bytes=0-1'], false],
  ['a GET of a part of a version', 'GET', ['If-Range', '"1"'], false],
  ['a GET of one version', 'GET', ['If-Match', '"1"'], false],
  ['a GET of one date', 'GET', ['If-Unmodified-Since', DATE], false],
  ['a HEAD', 'HEAD', [], false],
  ['a POST', 'POST', ['Content-Length', '1'], true],
  ['a POST of a part', 'POST', ['Range', 'bytes=0-1'], false],
  ['a PUT', 'PUT', [], false],
  ['a method in small letters', 'get', [], false],
];

for (const [rule, method, headers, expected] of ABSORBABLE) {
  test(`${rule} ${expected ? 'may be' : 'is never'} answered from the state`, () => {
    assert.equal(isAbsorbable(method, headers), expected);
  });
}

test('a plain answer is the body, with a tag of ours where the upstream gave none', () => {
  const { status, headers, body } = plainAnswer(stateWith(), [], []);
  assert.equal(status, 200);
  assert.equal(Buffer.from(body).toString(), '{"n":1}');
  assert.deepEqual(headers, {
    'cache-control': 'no-cache',
    'content-type': 'application/json',
    etag: '"a-1"',
    vary: 'Accept, Prefer',
    'cache-status': 'comet-proxy; hit',
    'content-length': '7',
  });
});

test('what the upstream said of its state is told on', () => {
  const given = { etag: 'W/"7"', 'last-modified': DATE, 'cache-control': 'max-age=5' };
  const { headers } = plainAnswer(stateWith(given), [], []);
  for (const [name, value] of Object.entries(given)) assert.equal(headers[name], value);
});

test('an answer varies on what the upstream says, on what the poll carries, and on Accept and Prefer', () => {
  const vary = (given: string, items: readonly VaryItem[]) =>
    plainAnswer(stateWith({ vary: given }), items, []).headers['vary'];
  assert.equal(vary('', [COOKIES]), 'Cookie, Accept, Prefer');
  assert.equal(
    vary('Accept-Encoding, accept, cookie', [COOKIES]),
    'Accept-Encoding, Accept, Cookie, Prefer',
  );
  assert.equal(vary('', [{ kind: 'header', name: 'x-user' }]), 'x-user, Accept, Prefer');
  assert.equal(vary('', [{ kind: 'query', name: 'q' }, { kind: 'address' }]), 'Accept, Prefer');
});

const CONDITIONS: [
  rule: string,
  state: Record<string, string>,
  request: string[],
  status: number,
][] = [
  ['our own tag', {}, ['If-None-Match', '"a-1"'], 304],
  ['an older tag of ours', {}, ['If-None-Match', '"a-0"'], 200],
  ['the tag of the upstream', { etag: '"7"' }, ['If-None-Match', '"7"'], 304],
  ['our tag where the upstream has one', { etag: '"7"' }, ['If-None-Match', '"a-1"'], 200],
  ['a weak tag for a strong one', { etag: '"7"' }, ['If-None-Match', 'W/"7"'], 304],
  ['a strong tag for a weak one', { etag: 'W/"7"' }, ['If-None-Match', '"7"'], 304],
  ['one of several tags', { etag: '"7"' }, ['If-None-Match', '"5", "6" ,W/"7"'], 304],
  [
    'a tag in a second line',
    { etag: '"7"' },
    ['If-None-Match', '"5"', 'if-none-match', '"7"'],
    304,
  ],
  ['a tag without quotes', { etag: '"7"' }, ['If-None-Match', '7'], 200],
  ['any tag', {}, ['If-None-Match', '*'], 304],
  ['the same date', { 'last-modified': DATE }, ['If-Modified-Since', DATE], 304],
  [
    'another date',
    { 'last-modified': DATE },
    ['If-Modified-Since', 'Sun, 02 Jan 2000 00:00:00 GMT'],
    200,
  ],
  ['a date where the upstream gave none', {}, ['If-Modified-Since', DATE], 200],
  [
    'a wrong tag and the same date',
    { 'last-modified': DATE },
    ['If-None-Match', '"x"', 'If-Modified-Since', DATE],
    200,
  ],
];

for (const [rule, state, request, status] of CONDITIONS) {
  test(`a request with ${rule} is answered ${status}`, () => {
    assert.equal(plainAnswer(stateWith(state), [], request).status, status);
  });
}

test('a 304 has validators and no content', () => {
  const state = stateWith({ etag: '"7"', 'content-language': 'en' });
  const { headers, body } = plainAnswer(state, [], ['If-None-Match', '"7"']);
  assert.equal(body.length, 0);
  assert.equal(headers['etag'], '"7"');
  for (const name of ['content-type', 'content-language', 'content-length']) {
    assert.ok(!(name in headers), name);
  }
});

test('a state that is empty by its status stays so', () => {
  const state: ChannelEvent = { ...stateWith(), status: 204, data: new Uint8Array() };
  const { status, headers, body } = plainAnswer(state, [], []);
  assert.equal(status, 204);
  assert.equal(body.length, 0);
  assert.ok(!('content-length' in headers));
});
