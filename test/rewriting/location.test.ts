import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountRewriting } from '../../src/passthrough/mount-rewriting.ts';
import { siteRewriting } from '../../src/passthrough/site-rewriting.ts';
import type { Mapping } from '../../src/passthrough/url-map.ts';
import { UrlRules } from '../../src/passthrough/url-rewriter.ts';
import { headerValue } from '../../src/shared/raw-headers.ts';
import { clientOf, MOUNTS, UPSTREAMS } from './upstreams.ts';

/*
 * How a redirect is written does not matter, where a browser goes with it does: these tests resolve
 * it as browsers do.
 */

/** What stands in `Location` for a client of `publicUrl` whose request arrived as `requestTarget`. */
function passed(location: string, publicUrl: string, base: Mapping, requestTarget: string): string {
  const { headers } = mountRewriting({
    downstream: clientOf(new URL(publicUrl).origin),
    mapping: base,
    mappings: base === UPSTREAMS.site ? [base] : MOUNTS,
    requestTarget,
    preserveHost: false,
    passesCredentials: false,
    cookies: undefined,
  }).response({ method: 'GET', status: 302, headers: ['Location', location] });
  return headerValue(headers, 'location') ?? '';
}

function destination(location: string, publicUrl: string, base: Mapping, target: string): string {
  return new URL(passed(location, publicUrl, base, target), publicUrl).href;
}

const AT_CHAT = 'http://shop.example/chat/a/b';
const AT_SITE = 'http://shop.example/a/b';
type Row = readonly [
  rule: string,
  base: Mapping,
  at: string,
  target: string,
  from: string,
  to: string,
];
const { bayeux, io, site } = UPSTREAMS;
const ROWS: readonly Row[] = [
  // The origin knows the public name by X-Forwarded-Host.
  [
    'its own URL under the public name',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'http://shop.example/bayeux/x',
    'http://shop.example/chat/x',
  ],
  [
    'a URL of the mount',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'http://shop.example/chat/x',
    'http://shop.example/chat/x',
  ],
  [
    'a URL of the mount, in another case',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'HTTP://SHOP.example/chat/x',
    'http://shop.example/chat/x',
  ],
  // Another scheme is another URL: without it, a redirect to https would lead to itself for ever.
  [
    'the mount over https',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'https://shop.example/chat/a/b',
    'https://shop.example/chat/a/b',
  ],
  [
    'its own URL over https',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'https://shop.example/bayeux/a/b',
    'https://shop.example/chat/a/b',
  ],
  [
    'another port of the public name',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'http://shop.example:81/bayeux/',
    'http://shop.example:81/bayeux/',
  ],
  // The mount itself, asked for without its last slash.
  [
    'relative to the mount without a slash',
    io,
    'http://shop.example/live/io',
    '/',
    'login',
    'http://shop.example/live/io/login',
  ],
  [
    'relative to the mount with a slash',
    io,
    'http://shop.example/live/io/',
    '/',
    'login',
    'http://shop.example/live/io/login',
  ],
  // Dot segments mean the upstream's path, not the site's.
  [
    'dots above the root of an origin',
    io,
    'http://shop.example/live/io/a',
    '/a',
    '/../x',
    'http://shop.example/live/io/x',
  ],
  [
    'dots above the root in a URL',
    io,
    'http://shop.example/live/io/a',
    '/a',
    'http://node.example:8000/../x',
    'http://shop.example/live/io/x',
  ],
  [
    'dots out of a path and back',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    '/bayeux/../bayeux/x',
    'http://shop.example/chat/x',
  ],
  ['encoded dots', bayeux, AT_CHAT, '/bayeux/a/b', '%2e%2E/x', 'http://shop.example/chat/x'],
  [
    'encoded dots above the root',
    io,
    'http://shop.example/live/io/a',
    '/a',
    '%2e%2e/%2E./x',
    'http://shop.example/live/io/x',
  ],
  [
    'a URL out of the path of the origin',
    bayeux,
    AT_CHAT,
    '/bayeux/a/b',
    'https://push.example/bayeux/../x',
    'https://push.example/x',
  ],
  // The site by another name.
  [
    'the site by its internal name',
    site,
    AT_SITE,
    '/a/b',
    'http://legacy:3000/x?y',
    'http://shop.example/x?y',
  ],
  [
    'the site by its public name',
    site,
    AT_SITE,
    '/a/b',
    'http://shop.example/x',
    'http://shop.example/x',
  ],
  [
    'the site over https',
    site,
    AT_SITE,
    '/a/b',
    'https://shop.example/a/b',
    'https://shop.example/a/b',
  ],
  ['a path of the site', site, AT_SITE, '/a/b', '/x', 'http://shop.example/x'],
  ['relative to the site', site, AT_SITE, '/a/b', '../x', 'http://shop.example/x'],
  // SECURITY: a path that begins with two slashes is no host to go to.
  [
    'a path of the site that looks like a host',
    site,
    AT_SITE,
    '/a/b',
    'http://legacy:3000//evil.example/x',
    'http://shop.example//evil.example/x',
  ],
  [
    'a public path that looks like a host',
    site,
    AT_SITE,
    '/a/b',
    'http://shop.example//evil.example/x',
    'http://shop.example//evil.example/x',
  ],
  [
    'a path of an origin that looks like a host',
    io,
    AT_CHAT,
    '/a/b',
    'http://node.example:8000//evil.example/x',
    'http://shop.example/live/io//evil.example/x',
  ],
];
for (const [rule, base, at, target, from, to] of ROWS) {
  test(`a redirect leads to where the upstream meant it to: ${rule}`, () => {
    assert.equal(destination(from, at, base, target), to);
  });
}

const FOREIGN = [
  'https://evil.example/bayeux/',
  '//evil.example/x',
  'https://user@push.example/bayeux/x',
  'mailto:a@b',
];
for (const location of FOREIGN) {
  test(`a redirect to somebody else is not touched: ${location}`, () => {
    assert.equal(passed(location, AT_CHAT, bayeux, '/bayeux/a/b'), location);
    assert.equal(passed(location, AT_SITE, site, '/a/b'), location);
  });
}

const REWRITTEN_SITE: Record<string, string> = {
  'https://push.example/bayeux/x': 'http://shop.example/chat/x',
  '//push.example/bayeux/x': 'http://shop.example/chat/x',
  'https://shop.example/a/b': 'https://shop.example/a/b',
  'http://shop.example/x': 'http://shop.example/x',
  'http://shop.example//evil.example/x': 'http://shop.example//evil.example/x',
  'http://legacy:3000/x': 'http://legacy:3000/x',
  '/bayeux/x': 'http://shop.example/bayeux/x',
  '../bayeux/x': 'http://shop.example/bayeux/x',
};
for (const [from, to] of Object.entries(REWRITTEN_SITE)) {
  test(`of a site whose pages name mounts, a redirect leads to where it was meant to: ${from}`, () => {
    const rewriting = siteRewriting(new UrlRules(MOUNTS), clientOf('http://shop.example'), site);
    const head = { method: 'GET', status: 302, headers: ['Location', from] };
    const location = headerValue(rewriting.response(head).headers, 'location') ?? '';
    assert.equal(new URL(location, AT_SITE).href, to);
  });
}

test('bytes beyond ASCII stay the same bytes, when dots before them are resolved', () => {
  const seen = passed('/bayeux/../bayeux/caf\xc3\xa9?\xff', AT_CHAT, bayeux, '/bayeux/a/b');
  const bytes = seen.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  assert.equal(bytes, '/chat/caf\xc3\xa9?\xff');
});
