import assert from 'node:assert/strict';
import { test } from 'node:test';
import { injectionOf, visit } from './page-visit.ts';

const HTML = ['Content-Type', 'text/html'];
const LIVE = ['Comet-Live', '"/";id="a-1"'];
const DATE = 'Sat, 01 Jan 2000 00:00:00 GMT';
const NO_CACHE = ['Cache-Control', 'no-cache'];

test('of a page with the script nothing is said that is true of its old bytes only', () => {
  const ofTheBody = [
    ...['Content-Length', '10', 'Accept-Ranges', 'bytes', 'Digest', 'x', 'Content-MD5', 'x'],
    ...['Content-Digest', 'x', 'Repr-Digest', 'x'],
  ];
  const kept = ['Set-Cookie', 'a=1', ...HTML, 'Last-Modified', DATE, 'X', '\xe9'];
  const { headers, body } = visit({ headers: [...kept, ...ofTheBody] });
  assert.deepEqual(headers, [...kept, ...NO_CACHE]);
  assert.equal(body.length, 1);
});

test('HEAD says what GET says', () => {
  const headers = [...HTML, 'Content-Length', '10', 'ETag', '"x"', 'Cache-Control', 'max-age=9'];
  const head = visit({ headers, method: 'HEAD' });
  assert.deepEqual(head.headers, visit({ headers }).headers);
  assert.deepEqual(head.body, []);
});

const CACHING: readonly (readonly [sent: string[], seen: string[]])[] = [
  [[], NO_CACHE],
  [
    ['Expires', 'Thu, 01 Jan 2099 00:00:00 GMT'],
    ['Expires', 'Thu, 01 Jan 2099 00:00:00 GMT', ...NO_CACHE],
  ],
  [
    ['Cache-Control', 'public, max-age=86400'],
    ['Cache-Control', 'public, max-age=86400', ...NO_CACHE],
  ],
  [
    ['Cache-Control', 'no-cache="set-cookie"'],
    ['Cache-Control', 'no-cache="set-cookie"', ...NO_CACHE],
  ],
  [
    ['Cache-Control', 'private', 'cache-control', 'No-Cache'],
    ['Cache-Control', 'private', 'cache-control', 'No-Cache'],
  ],
  [
    ['Cache-Control', 'no-store'],
    ['Cache-Control', 'no-store'],
  ],
];
for (const [sent, seen] of CACHING) {
  test(`which script is in a page is asked each time, whatever is said of caching: ${sent}`, () => {
    assert.deepEqual(visit({ headers: [...HTML, ...sent] }).headers, [...HTML, ...seen]);
  });
}

/** The tag under which a client gets a page with this one. */
function tagOf(etag: string, { version = '0123456789', live = [] as string[] } = {}): string {
  return visit({ headers: [...HTML, 'ETag', etag] }, injectionOf({ version, live })).header('etag');
}

test('a page with the script has another tag, which is equal in meaning only', () => {
  assert.match(tagOf('"abc"'), /^W\/"abc~.+"$/);
  assert.match(tagOf('W/"abc"'), /^W\/"abc~.+"$/);
  assert.equal(tagOf('"abc"'), tagOf('"abc"'));
  assert.notEqual(tagOf('"abc"'), tagOf('"abc"', { version: 'abcdef0123' }));
  assert.notEqual(tagOf('"abc"'), tagOf('"abc"', { live: ['/status'] }));
  assert.equal(tagOf('no tag'), '');
});

/** The conditions of a request as the site gets them. */
function conditions(sent: readonly string[]): readonly string[] {
  return visit({ headers: HTML, sent }).request.slice(0, -2);
}

test('a client that has the page with the script is asked about under the tag that the site gave', () => {
  for (const tag of ['"abc"', 'W/"abc"', '""', '"a,b"']) {
    assert.deepEqual(conditions(['If-None-Match', tagOf(tag)]), ['If-None-Match', tag]);
  }
  assert.deepEqual(
    conditions(['If-None-Match', `"x", ${tagOf('"a"')}`, 'If-None-Match', tagOf('"b"')]),
    ['If-None-Match', '"a", "b"'],
  );
  const both = ['If-None-Match', tagOf('"a"'), 'If-Modified-Since', DATE];
  assert.deepEqual(conditions(both), ['If-Modified-Since', DATE, 'If-None-Match', '"a"']);
});

const OLD: Record<string, string[]> = {
  'without the script': ['If-None-Match', '"abc"'],
  'with an older script': ['If-None-Match', tagOf('"abc"', { version: 'abcdef0123' })],
  'of another time': ['If-Modified-Since', DATE],
  'without the script, of a time': ['If-None-Match', '"abc"', 'If-Modified-Since', DATE],
  'of any tag': ['If-None-Match', '*'],
};
for (const [what, sent] of Object.entries(OLD)) {
  test(`a page ${what} in the browser's cache is not asked about`, () => {
    assert.deepEqual(conditions(sent), []);
  });
}

test('whoever asks for one version only names the tag that the site gave', () => {
  const sent = ['If-Match', `"x", ${tagOf('W/"abc"')}`];
  assert.deepEqual(conditions(sent), ['If-Match', '"x", "abc"']);
});

test('a client that has the page is told so, under the tag that it knows', () => {
  const tag = tagOf('"abc"');
  const sent = ['If-None-Match', tag];
  const stored = ['ETag', '"abc"', 'Cache-Control', 'max-age=600', 'Content-Length', '7'];
  const { headers, body } = visit({ sent, status: 304, headers: stored });
  assert.deepEqual(headers, ['ETag', tag, 'Cache-Control', 'max-age=600', ...NO_CACHE]);
  assert.deepEqual(body, []);
  assert.deepEqual(visit({ sent, status: 304, headers: [] }).headers, NO_CACHE);
});

test('a 304 that nobody has asked for stays as it is', () => {
  const headers = ['ETag', '"abd"', 'Cache-Control', 'max-age=600'];
  assert.deepEqual(visit({ sent: [], status: 304, headers }).headers, headers);
  const sent = ['If-None-Match', tagOf('"abc"')];
  assert.deepEqual(visit({ sent, status: 304, headers }).headers, headers);
});

test('the site is asked for a coding that can be read', () => {
  const asked = (sent: string[]) => visit({ headers: HTML, sent }).request;
  assert.deepEqual(asked(['Accept-Encoding', 'gzip, deflate, br']), ['Accept-Encoding', 'gzip']);
  assert.deepEqual(asked(['Accept-Encoding', 'br']), ['Accept-Encoding', 'identity']);
  assert.deepEqual(asked([]), ['Accept-Encoding', 'identity']);
});

test('a page with a ticket is loaded anew each time: it is for one client, for an hour', () => {
  const headers = [...HTML, 'ETag', '"abc"', 'Last-Modified', DATE];
  const ticketed = visit({ headers: [...headers, 'Comet-Live', '"/";ticket="k3J0"'] });
  assert.deepEqual([ticketed.header('etag'), ticketed.header('last-modified')], ['', '']);
  const shared = visit({ headers: [...headers, ...LIVE] });
  assert.deepEqual([shared.header('etag'), shared.header('last-modified')], [tagOf('"abc"'), DATE]);
});

test("a page's own refreshing by a header is taken off where the script knows the page", () => {
  const own = ['Refresh', '5; url=https://shop.example/'];
  assert.equal(visit({ headers: [...HTML, ...own, ...LIVE] }).header('refresh'), '');
  const kept: [name: string, headers: string[]][] = [
    ['a page that is not live', [...HTML, ...own]],
    ['one that leads on', [...HTML, 'Refresh', '5; url=/next', ...LIVE]],
    ['two', [...HTML, ...own, 'Refresh', '7', ...LIVE]],
    ['XHTML', ['Content-Type', 'application/xhtml+xml', ...own, ...LIVE]],
    ['a page without the script', [...HTML, ...own, ...LIVE, 'Cache-Control', 'no-transform']],
  ];
  for (const [name, headers] of kept) {
    assert.notEqual(visit({ headers }).header('refresh'), '', name);
  }
});
