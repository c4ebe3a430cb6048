import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRewritable } from '../../src/passthrough/site-rewriting.ts';
import { mappingOf } from '../../src/passthrough/url-map.ts';
import type { SiteExchange } from './rewritten-site.ts';
import { exchangeWithSite } from './rewritten-site.ts';

const TYPES: readonly (readonly [isLookedAt: boolean, types: readonly string[]])[] = [
  [
    true,
    [
      ...['text/html', 'TEXT/HTML; Charset=UTF-8', 'text/html;charset=iso-8859-1', 'text/css'],
      ...['application/xhtml+xml', 'text/javascript', 'application/javascript;charset=utf-8'],
      ...['application/x-javascript', 'text/ecmascript', 'application/json', 'application/ld+json'],
      ...['application/manifest+json', 'application/vnd.api+json; charset="utf-8"'],
    ],
  ],
  [
    false,
    [
      ...['text/event-stream', 'text/plain', 'image/png', 'image/svg+xml', 'application/pdf'],
      ...['application/octet-stream', 'application/x-ndjson', 'multipart/mixed; boundary=x', ''],
      ...['text/html; charset=utf-16', 'text/html; charset="UTF-16LE"', 'text/html;charset=utf-32'],
      ...[
        'application/json; charset=ucs-2',
        'text/htmlx',
        'xtext/html',
        'application/wasm',
        'json',
      ],
    ],
  ],
];
for (const [isLookedAt, types] of TYPES) {
  for (const type of types) {
    test(`URLs are ${isLookedAt ? '' : 'not '}looked for in ${type || 'an empty type'}`, () => {
      assert.equal(isRewritable(type), isLookedAt);
    });
  }
}
test('URLs are not looked for in what has no type', () => {
  assert.equal(isRewritable(undefined), false);
});

const HTML = ['Content-Type', 'text/html'];
const OF_THE_BODY = [
  ...['Content-Length', '10', 'Accept-Ranges', 'bytes', 'Last-Modified', 'x', 'Digest', 'x'],
  ...['Content-Digest', 'x', 'Repr-Digest', 'x', 'Content-MD5', 'x'],
];

test('of a page that is rewritten, nothing is said that is true of its old bytes only', () => {
  const { headers, body } = exchangeWithSite({ headers: ['A', '1', ...HTML, ...OF_THE_BODY] });
  assert.deepEqual(headers, ['A', '1', ...HTML]);
  assert.equal(body.length, 1);
});

const UNTOUCHED: Record<string, Partial<SiteExchange> & { headers: string[] }> = {
  'an image': { headers: ['Content-Type', 'image/png', ...OF_THE_BODY, 'ETag', '"x"'] },
  'an event stream': { headers: ['Content-Type', 'text/event-stream', 'ETag', '"x"'] },
  'a wide charset': { headers: ['Content-Type', 'text/html; charset=utf-16', ...OF_THE_BODY] },
  'no type': { headers: [...OF_THE_BODY, 'ETag', '"x"'] },
  brotli: { headers: [...HTML, 'Content-Encoding', 'br', ...OF_THE_BODY, 'ETag', '"x"'] },
  'two codings': { headers: [...HTML, 'Content-Encoding', 'br, gzip', ...OF_THE_BODY] },
  'two lines of codings': {
    headers: [...HTML, 'Content-Encoding', 'gzip', 'Content-Encoding', 'br'],
  },
  'a part of a page': {
    status: 206,
    headers: [...HTML, ...OF_THE_BODY, 'Content-Range', 'bytes 0-9/20'],
  },
};
for (const [name, exchange] of Object.entries(UNTOUCHED)) {
  test(`what cannot be rewritten passes with all that is said of it: ${name}`, () => {
    const { headers, body } = exchangeWithSite(exchange);
    assert.deepEqual(headers, exchange.headers);
    assert.deepEqual(body, []);
  });
}

const CODINGS: Record<string, number> = { gzip: 3, 'X-GZip': 3, identity: 1, '': 1 };
for (const [coding, steps] of Object.entries(CODINGS)) {
  test(`a page is rewritten when its coding can be read: ${coding || 'an empty one'}`, () => {
    const headers = [...HTML, 'Content-Encoding', coding, 'Content-Length', '5'];
    const { body, header } = exchangeWithSite({ headers });
    assert.equal(body.length, steps);
    assert.equal(header('content-length'), '');
  });
}

test('HEAD says what GET would say', () => {
  const headers = [...HTML, ...OF_THE_BODY, 'ETag', '"x"'];
  const get = exchangeWithSite({ headers });
  const head = exchangeWithSite({ headers, method: 'HEAD' });
  assert.deepEqual(head.headers, get.headers);
  assert.deepEqual(head.body, []);
});

test('an answer without a body goes through nothing', () => {
  for (const status of [204, 304]) {
    assert.deepEqual(exchangeWithSite({ headers: HTML, status }).body, []);
  }
});

const ACCEPTED: Record<string, string> = {
  'gzip, deflate, br, zstd': 'gzip',
  gzip: 'gzip',
  'br;q=1, GZIP;q=0.5': 'gzip',
  'gzip;q=0': 'identity',
  'gzip; q=0.0': 'identity',
  'br, zstd': 'identity',
  identity: 'identity',
  xgzip: 'identity',
  '': 'identity',
};
for (const [sent, seen] of Object.entries(ACCEPTED)) {
  test(`the site is asked for a coding that can be read and that the client takes: ${sent}`, () => {
    const { request } = exchangeWithSite({
      headers: [],
      sent: ['Accept-Encoding', sent, 'X', '1'],
    });
    assert.deepEqual(request, ['X', '1', 'Accept-Encoding', seen]);
  });
}

test('who takes no coding gets none', () => {
  assert.deepEqual(exchangeWithSite({ headers: [] }).request, ['Accept-Encoding', 'identity']);
});

/** The tag under which a client gets a page with this one. */
function tagOf(etag: string, exchange: Partial<SiteExchange> = {}): string {
  return exchangeWithSite({ ...exchange, headers: [...HTML, 'ETag', etag] }).header('etag');
}

test('a page has another tag than its old bytes, which is equal in meaning only', () => {
  const tag = tagOf('"abc"');
  assert.match(tag, /^W\/"abc.+"$/);
  assert.equal(tagOf('W/"abc"'), tag);
  assert.notEqual(tagOf('"abd"'), tag);
  assert.match(tagOf('""'), /^W\/".+"$/);
});

test('a page has one tag for all that make it what it is', () => {
  const tag = tagOf('"abc"');
  assert.equal(tagOf('"abc"'), tag);
  assert.notEqual(tagOf('"abc"', { origin: 'http://shop.example' }), tag);
  assert.notEqual(tagOf('"abc"', { origin: 'https://other.example' }), tag);
  const mappings = [mappingOf(new URL('https://push.example/bayeux/'), '/talk')];
  assert.notEqual(tagOf('"abc"', { mappings }), tag);
});

test('a client that has the page is told so: tags go back to the site under their own names', () => {
  const tag = tagOf('"abc"');
  const sent = ['If-None-Match', `"other", ${tag}`];
  const { request, header, body } = exchangeWithSite({
    sent,
    status: 304,
    headers: ['ETag', '"abc"'],
  });
  assert.deepEqual(request.slice(0, 2), ['If-None-Match', '"other", W/"abc"']);
  assert.equal(header('etag'), tag);
  assert.deepEqual(body, []);
});

test('a page that was rewritten in another way is not had', () => {
  const old = tagOf('"abc"', { origin: 'https://other.example' });
  const { request } = exchangeWithSite({ headers: [], sent: ['If-None-Match', old] });
  assert.deepEqual(request.slice(0, 2), ['If-None-Match', old]);
});

test('a client that has the old bytes is not told that they are the new ones', () => {
  const headers = [...HTML, 'ETag', '"abc"'];
  const { header } = exchangeWithSite({ sent: ['If-None-Match', '"abc"'], status: 304, headers });
  assert.equal(header('etag'), '"abc"');
});

test('what is not rewritten keeps its tag in both directions', () => {
  const headers = ['ETag', '"abc"'];
  const sent = ['If-None-Match', '"abc"'];
  const { request, headers: seen } = exchangeWithSite({ sent, status: 304, headers });
  assert.deepEqual(request.slice(0, 2), sent);
  assert.deepEqual(seen, headers);
});

test('whoever writes only if nothing has changed names the tag that the site gave', () => {
  const { request } = exchangeWithSite({ headers: [], sent: ['If-Match', tagOf('"abc"')] });
  assert.deepEqual(request.slice(0, 2), ['If-Match', '"abc"']);
});

test("links, redirects and policies of any answer name the mount, whatever the answer's type", () => {
  const push = 'https://push.example/bayeux/x';
  const { headers } = exchangeWithSite({
    status: 302,
    headers: [
      ...[
        'Location',
        push,
        'Link',
        `<${push}>; rel=preload, <https://push.example>; rel=preconnect`,
      ],
      ...['Content-Security-Policy', 'connect-src https://push.example'],
      ...['Content-Security-Policy-Report-Only', 'connect-src wss://push.example'],
      ...['Refresh', `3; url=${push}`, 'Content-Type', 'image/png'],
    ],
  });
  assert.deepEqual(headers, [
    ...['Location', '/chat/x', 'Link', '</chat/x>; rel=preload'],
    ...['Content-Security-Policy', "connect-src 'self'"],
    ...['Content-Security-Policy-Report-Only', "connect-src 'self'"],
    ...['Refresh', '3; url=/chat/x', 'Content-Type', 'image/png'],
  ]);
});

test("the site's own headers stay the site's", () => {
  const headers = [
    ...['Set-Cookie', 'a=1; Domain=shop.example', 'Access-Control-Allow-Origin', '*'],
    ...['Strict-Transport-Security', 'max-age=1', 'Clear-Site-Data', '"*"', 'Location', '/x'],
    ...['Content-Security-Policy', "default-src 'self'", 'Link', '</x>; rel=preload'],
  ];
  assert.deepEqual(exchangeWithSite({ headers }).headers, headers);
});
