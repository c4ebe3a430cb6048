import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UrlRewriter, UrlRules } from '../../src/passthrough/url-rewriter.ts';
import { inPieces } from './in-pieces.ts';
import { MOUNTS } from './upstreams.ts';

const RULES = new UrlRules(MOUNTS);
const ORIGIN = { scheme: 'https', authority: 'shop.example' } as const;
/** The longest URL that may have begun: more is never held back. */
const MAX_HELD = 80;

function rewriter(): UrlRewriter {
  return new UrlRewriter(RULES, ORIGIN);
}

/** Parts of URLs in any order: nearly all that can go wrong at a cut. */
const WORDS = fc.constantFrom(
  ...['https:', 'http:', 'wss:', 'ws:', 'h', 'w', 's', ':', '//', '\\/\\/', '/', '\\/', '\\'],
  ...[
    'push.example',
    'push.exampl',
    'node.example:8000',
    'node.example',
    'faye.example',
    ':443',
    ':4',
  ],
  ...[
    '/bayeux',
    '\\/bayeux',
    '/bayeux/admin',
    '/faye',
    '/bay',
    '.',
    '@',
    '-',
    'x',
    '%',
    '?',
    '$',
    '{',
  ],
  ...['"', "'", '`', ' ', '\n', '<', '\0', '\x80', '\xff', '\xc3\xa9', 'PUSH.EXAMPLE', 'evil'],
);
const SOUP = fc.array(WORDS, { maxLength: 40 }).map((words) => words.join(''));
/** Soup with whole URLs in it. */
const URLS = fc.constantFrom(
  'https://push.example/bayeux',
  'https://push.example/bayeux/admin/',
  '\\/\\/push.example\\/bayeux\\/x',
  'wss://node.example:8000',
  '"https://faye.example"',
);
const TEXT = fc.array(fc.oneof(SOUP, URLS), { maxLength: 6 }).map((parts) => parts.join(''));
const CUTS = fc.array(fc.nat(), { maxLength: 12 });

function within(cuts: readonly number[], text: string): number[] {
  return cuts.map((cut) => cut % (text.length + 1));
}

test('the outcome is the same for every way of cutting a text into pieces', () => {
  fc.assert(
    fc.property(TEXT, CUTS, (text, cuts) => {
      const whole = inPieces(rewriter(), text, []);
      assert.equal(inPieces(rewriter(), text, within(cuts, text)), whole);
    }),
    { numRuns: 5_000 },
  );
});

test('every cut of a page, one by one', () => {
  const page =
    'x https://push.example/bayeux/x "\\/\\/push.example\\/bayeux" `wss://node.example:8000$' +
    '{x}` https://push.example.evil/bayeux "https://faye.example/" https://push.example:443/bayeux';
  const whole = inPieces(rewriter(), page, []);
  for (let cut = 0; cut <= page.length; cut++) {
    for (const width of [0, 1, 7]) {
      assert.equal(inPieces(rewriter(), page, [cut, Math.min(page.length, cut + width)]), whole);
    }
  }
});

test('a text that names no origin is untouched, byte for byte', () => {
  const binary = fc
    .uint8Array({ maxLength: 200 })
    .map((bytes) => Buffer.from(bytes).toString('latin1'));
  const utf8 = fc
    .string({ unit: 'binary', maxLength: 100 })
    .map((text) => Buffer.from(text).toString('latin1'));
  const names = /push\.example|node\.example:8000|faye\.example/i;
  fc.assert(
    fc.property(fc.oneof(SOUP, binary, utf8), CUTS, (text, cuts) => {
      fc.pre(!names.test(text));
      assert.equal(inPieces(rewriter(), text, within(cuts, text)), text);
    }),
    { numRuns: 2_000 },
  );
});

test('what is held back is bounded, and comes out in order', () => {
  fc.assert(
    fc.property(SOUP, CUTS, (soup, cuts) => {
      const text = soup.replace(/push\.example/gi, 'push.exampl').replace(/(?:node|faye)\./g, 'x.');
      const step = rewriter();
      let output = '';
      let from = 0;
      for (const cut of within(cuts, text).sort((a, b) => a - b)) {
        output += step.write(text.slice(from, cut));
        from = cut;
        assert.ok(text.startsWith(output));
        assert.ok(from - output.length <= MAX_HELD, `${from - output.length} held back`);
      }
      assert.equal(output + step.write(text.slice(from)) + step.end(), text);
    }),
  );
});

test('what cannot be the beginning of a URL is not held back at all', () => {
  for (const text of [
    '<p>Hello</p>\n',
    'data: 1\n\n',
    'hat',
    'who',
    '//x',
    'https://other.example/',
  ]) {
    assert.equal(rewriter().write(`${text} `), `${text} `);
  }
  assert.equal(rewriter().write('first part.'), 'first part.');
});

const DECIDED: Record<string, string> = {
  '<a href="https://push.example/bayeux/x">': '<a href="https://shop.example/chat/x">',
  '"//push.example/bayeux"': '"//shop.example/chat"',
  '"https:\\/\\/push.example\\/bayeux\\/"': '"https:\\/\\/shop.example\\/chat\\/"',
  'io("https://faye.example")': 'io("https://shop.example")',
  'io("http://node.example:8000")': 'io("https://shop.example/live/io")',
  '"https://push.example.evil/bayeux"': '"https://push.example.evil/bayeux"',
  '"https://push.example:8443/"': '"https://push.example:8443/"',
  '"https://push.example/bay"': '"https://push.example/bay"',
};
for (const [piece, expected] of Object.entries(DECIDED)) {
  test(`a URL whose end has come is not held back, for a page may pause behind it: ${piece}`, () => {
    assert.equal(rewriter().write(piece), expected);
  });
}

test('beginnings without end are passed on', () => {
  const step = rewriter();
  let written = 0;
  let read = 0;
  for (let i = 0; i < 3_000; i++) {
    const piece = ['h', 'https:', '//', '\\/\\/', 'https://push.example'][i % 5] ?? '';
    written += piece.length;
    read += step.write(piece).length;
    assert.ok(written - read <= MAX_HELD);
  }
});

/** Each with what becomes of it, when it stands between delimiters. */
const TOKENS = fc.constantFrom<readonly [string, string]>(
  ['https://push.example/bayeux/x', 'https://shop.example/chat/x'],
  ['HTTP://PUSH.EXAMPLE/bayeux', 'https://shop.example/chat'],
  ['//push.example:443/bayeux/admin?x', '//shop.example/chat-admin?x'],
  ['ws:\\/\\/node.example:8000\\/x', 'wss:\\/\\/shop.example\\/live\\/io\\/x'],
  ['https://faye.example', 'https://shop.example'],
  ['https://push.example/other', 'https://push.example/other'],
  ['https://push.example.evil/bayeux', 'https://push.example.evil/bayeux'],
  ['user@push.example', 'user@push.example'],
  ['word', 'word'],
);
test('in a text of many URLs each has its fate, whatever stands beside it', () => {
  const delimited = fc.tuple(TOKENS, fc.constantFrom('"', "'", ' ', '\n', '<', '>', '`', ')'));
  fc.assert(
    fc.property(fc.array(delimited), CUTS, (parts, cuts) => {
      const text = parts.map(([[from], after]) => ` ${from}${after}`).join('');
      const expected = parts.map(([[, to], after]) => ` ${to}${after}`).join('');
      assert.equal(inPieces(rewriter(), text, within(cuts, text)), expected);
    }),
  );
});
