import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mapping } from '../../src/passthrough/url-map.ts';
import { mappingOf } from '../../src/passthrough/url-map.ts';
import type { PublicOrigin } from '../../src/passthrough/url-rewriter.ts';
import { UrlRewriter, UrlRules } from '../../src/passthrough/url-rewriter.ts';
import { byCharacter, inPieces } from './in-pieces.ts';
import { UPSTREAMS } from './upstreams.ts';

const HTTPS: PublicOrigin = { scheme: 'https', authority: 'shop.example' };

function rewriter(mappings: readonly Mapping[], origin: PublicOrigin = HTTPS): UrlRewriter {
  return new UrlRewriter(new UrlRules(mappings), origin);
}

/** Whole and character by character: it must not matter. */
function check(mappings: readonly Mapping[], text: string, expected: string): void {
  assert.equal(inPieces(rewriter(mappings), text, []), expected);
  assert.equal(byCharacter(rewriter(mappings), text), expected);
}

const { bayeux, admin, io, faye } = UPSTREAMS;
const SPELLINGS: Record<string, string> = {
  'https://push.example/bayeux/x': 'https://shop.example/chat/x',
  'http://push.example/bayeux/x': 'https://shop.example/chat/x',
  '//push.example/bayeux/x': '//shop.example/chat/x',
  'wss://push.example/bayeux/x': 'wss://shop.example/chat/x',
  'ws://push.example/bayeux/x': 'wss://shop.example/chat/x',
  'https:\\/\\/push.example\\/bayeux\\/x': 'https:\\/\\/shop.example\\/chat\\/x',
  'wss:\\/\\/push.example\\/bayeux': 'wss:\\/\\/shop.example\\/chat',
  '\\/\\/push.example\\/bayeux\\/': '\\/\\/shop.example\\/chat\\/',
  'HTTPS://Push.EXAMPLE/bayeux/X': 'https://shop.example/chat/X',
  'https://push.example:443/bayeux/x': 'https://shop.example/chat/x',
  'https:\\/\\/push.example:443\\/bayeux': 'https:\\/\\/shop.example\\/chat',
  'https://push.example/bayeux': 'https://shop.example/chat',
  'https://push.example/bayeux/': 'https://shop.example/chat/',
  'https://push.example/bayeux?a=b&c': 'https://shop.example/chat?a=b&c',
  'https://push.example/bayeux#x': 'https://shop.example/chat#x',
  'http://node.example:8000': 'https://shop.example/live/io',
  'ws://node.example:8000/socket.io/?EIO=4': 'wss://shop.example/live/io/socket.io/?EIO=4',
  'http:\\/\\/node.example:8000\\/x': 'https:\\/\\/shop.example\\/live\\/io\\/x',
};
const AROUND: readonly (readonly [before: string, after: string])[] = [
  ['', ''],
  ['"', '"'],
  ["'", "'"],
  ['`', '`'],
  ['`', `\${room}\``],
  ['url(', ')'],
  ['<a href=', '>'],
  ['see ', ' and'],
  ['\n', '\r\n'],
  ['{"a":["', '"]}'],
  ['x=', '&quot;'],
  ['(', ');'],
  ['\xc3\xa9', ' '],
  ['blob:', '"'],
  ['"{\\"a\\":\\"', '\\"}"'],
];
for (const [url, expected] of Object.entries(SPELLINGS)) {
  test(`a URL of an origin becomes one of the mount, whatever stands around it: ${url}`, () => {
    for (const [before, after] of AROUND) {
      // A host that only begins in a word is none.
      if (before === 'blob:' && /^[\\/]/.test(url)) continue;
      check([bayeux, io], before + url + after, before + expected + after);
    }
  });
}

const OTHERS = [
  'https://push.example.evil/bayeux/x',
  'https://push.examples/bayeux/x',
  'https://push.example-evil/bayeux/x',
  'https://xpush.example/bayeux/x',
  'https://sub.push.example/bayeux/x',
  'https://push.example:8443/bayeux/x',
  'https://push.example:4430/bayeux/x',
  'https://push.example:/bayeux/x',
  'https://user@push.example/bayeux/x',
  'https://user:secret@push.example/bayeux/x',
  'https://push.example@evil.example/bayeux/x',
  'https://push.example%2e/bayeux/x',
  'https://push.example',
  'https://push.example/',
  'https://push.example/bayeuxx',
  'https://push.example/bayeux.js',
  'https://push.example/bayeux-x',
  'https://push.example/bayeux%20x',
  'https://push.example/Bayeux/x',
  'https://push.example/x/bayeux/',
  'xhttps://push.example/bayeux/x',
  'x-https://push.example/bayeux/x',
  'ftp://push.example/bayeux/x',
  'https:/push.example/bayeux/x',
  'https:///push.example/bayeux/x',
  'https:\\\\push.example\\bayeux\\x',
  'https%3A%2F%2Fpush.example%2Fbayeux',
  'x//push.example/bayeux/x',
  '///push.example/bayeux/x',
  ':\\/\\/push.example\\/bayeux',
  '/\\/\\/push.example\\/bayeux',
  'push.example/bayeux/x',
  'a@push.example',
  '// push.example/bayeux',
  'http://node.example/x',
  'http://node.example:80/x',
  'http://node.example:80001/x',
];
for (const text of OTHERS) {
  test(`what only looks like a URL of an origin is left alone: ${text}`, () => {
    check([bayeux, io], text, text);
    check([bayeux, io], `"${text}"`, `"${text}"`);
  });
}

const BEHIND = [
  '.evil/',
  '.',
  '-x/',
  'x',
  '_',
  ':8443/',
  ':4430',
  '@evil/',
  ':x@evil/',
  '%2e/',
  '~',
];
for (const tail of BEHIND) {
  test(`of an origin that is mounted as a whole, a host that goes on is another one: ${tail}`, () => {
    const whole = mappingOf(new URL('https://push.example'), '/all');
    for (const scheme of ['https:', '', 'ws:']) {
      const text = `"${scheme}//push.example${tail}"`;
      check([whole], text, text);
    }
  });
}

test('of several mounts of one host the longest path wins, wherever they stand in the config', () => {
  const root = mappingOf(new URL('https://push.example/'), '/all');
  const text = [
    '',
    '/',
    '/x',
    '/bayeux',
    '/bayeux/x',
    '/bayeux/admin',
    '/bayeux/admin/x',
    '/bayeux/adminx',
  ]
    .map((path) => `"https://push.example${path}"`)
    .join();
  const expected = [
    '/all',
    '/all/',
    '/all/x',
    '/chat',
    '/chat/x',
    '/chat-admin',
    '/chat-admin/x',
    '/chat/adminx',
  ]
    .map((path) => `"https://shop.example${path}"`)
    .join();
  for (const mappings of [
    [root, bayeux, admin],
    [admin, bayeux, root],
    [bayeux, root, admin],
  ]) {
    check(mappings, text, expected);
  }
});

test('several origins of one mount are all known', () => {
  const second = mappingOf(new URL('https://push2.example/v2/'), '/chat');
  const text =
    '"https://push2.example/v2/x","https://push.example/bayeux/x","https://push2.example/bayeux/x"';
  const expected =
    '"https://shop.example/chat/x","https://shop.example/chat/x","https://push2.example/bayeux/x"';
  check([bayeux, second], text, expected);
});

const BARE: Record<string, string> = {
  'io("https://faye.example")': 'io("https://shop.example")',
  'io("https://faye.example/")': 'io("https://shop.example/")',
  "io('//faye.example' + path)": "io('//shop.example' + path)",
  'io(`wss://faye.example\u0024{path}`)': 'io(`wss://shop.example\u0024{path}`)',
  '{"base":"https:\\/\\/faye.example"}': '{"base":"https:\\/\\/shop.example"}',
  '{"base":"https:\\/\\/faye.example\\/"}': '{"base":"https:\\/\\/shop.example\\/"}',
  '"{\\"base\\":\\"https://faye.example\\"}"': '"{\\"base\\":\\"https://shop.example\\"}"',
  '<a href=https://faye.example>': '<a href=https://shop.example>',
  'connect-src https://faye.example ;': 'connect-src https://shop.example ;',
  'https://faye.example:443': 'https://shop.example',
  '"https://faye.example/faye"': '"https://shop.example/faye"',
  '"https://faye.example/faye/client.js"': '"https://shop.example/faye/client.js"',
  // What is not mounted is not there.
  '"https://faye.example/other"': '"https://faye.example/other"',
  '"https://faye.example?x"': '"https://faye.example?x"',
  '"https://faye.example/fayex"': '"https://faye.example/fayex"',
  '"https://faye.example.evil"': '"https://faye.example.evil"',
};
for (const [text, expected] of Object.entries(BARE)) {
  test(`at a mount with its own path, the origin alone becomes the site: ${text}`, () => {
    check([faye], text, expected);
  });
}

test('an origin that is mounted as a whole is there, also beside a path of it that kept its name', () => {
  const root = mappingOf(new URL('https://faye.example/'), '/all');
  check([faye, root], '"https://faye.example/"', '"https://shop.example/all/"');
  check([faye, root], '"https://faye.example/faye/x"', '"https://shop.example/faye/x"');
});

const ORIGINS: readonly (readonly [origin: PublicOrigin, expected: string])[] = [
  [
    { scheme: 'http', authority: 'localhost:8080' },
    'http://localhost:8080/chat ws://localhost:8080/chat //localhost:8080/chat',
  ],
  [
    { scheme: 'https', authority: 'Shop.Example' },
    'https://Shop.Example/chat wss://Shop.Example/chat //Shop.Example/chat',
  ],
  [
    { scheme: 'https', authority: '[::1]:8443' },
    'https://[::1]:8443/chat wss://[::1]:8443/chat //[::1]:8443/chat',
  ],
];
for (const [origin, expected] of ORIGINS) {
  test(`URLs are those that the client knows: ${origin.scheme}://${origin.authority}`, () => {
    const text = 'https://push.example/bayeux ws://push.example/bayeux //push.example/bayeux';
    assert.equal(inPieces(rewriter([bayeux], origin), text, []), expected);
  });
}

test('an origin with an IPv6 address is found', () => {
  const v6 = mappingOf(new URL('http://[2001:db8::1]:8000/'), '/io');
  check([v6], '"http://[2001:DB8::1]:8000/x"', '"https://shop.example/io/x"');
});

test('neighbours are all rewritten', () => {
  const url = 'https://push.example/bayeux';
  const expected = 'https://shop.example/chat';
  check([bayeux], `${url},${url} ${url}`, `${expected},${expected} ${expected}`);
  check([bayeux], `"${url}""${url}"`, `"${expected}""${expected}"`);
});

test('a text of nothing is nothing', () => {
  check([bayeux], '', '');
  const empty = rewriter([bayeux]);
  assert.deepEqual([empty.write(''), empty.write(''), empty.end()], ['', '', '']);
});
