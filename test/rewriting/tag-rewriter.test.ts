import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TagRewriter } from '../../src/passthrough/tag-rewriter.ts';
import { assertLinear } from './assert-linear.ts';
import { byCharacter, inPieces } from './in-pieces.ts';

function stripper(): TagRewriter {
  return new TagRewriter('shop.example', ['push.example', 'push.example:443']);
}

const STRIPPED: Record<string, string> = {
  '<script src="/a.js" integrity="sha256-x" async></script>': '<script src="/a.js" async></script>',
  "<script integrity='sha256-x' src='a.js'>": "<script src='a.js'>",
  '<script integrity=sha256-x src=a.js>': '<script src=a.js>',
  '<SCRIPT\n SRC="a"\n INTEGRITY = "x"\n>': '<SCRIPT\n SRC="a"\n>',
  '<link rel=stylesheet href="/a.css" integrity="sha256-x"/>':
    '<link rel=stylesheet href="/a.css"/>',
  '<link href="https://shop.example/a.css" integrity="x">':
    '<link href="https://shop.example/a.css">',
  '<link href="//SHOP.example/a.css" integrity="x">': '<link href="//SHOP.example/a.css">',
  '<script src="a" integrity="">': '<script src="a">',
  '<script src="a" integrity="x" integrity="y">': '<script src="a">',
  '<script data-if="a>b" src="a" integrity="x">': '<script data-if="a>b" src="a">',
  '<script data-if=\'">\' src="a" integrity="x">': '<script data-if=\'">\' src="a">',
};
for (const [tag, expected] of Object.entries(STRIPPED)) {
  test(`a script or style of the site loses its hash: ${tag}`, () => {
    for (const [before, after] of [
      ['', ''],
      ['<p>', '</p>'],
      ['<', '<script>'],
      ['<script>', '<'],
    ]) {
      const [text, wanted] = [`${before}${tag}${after}`, `${before}${expected}${after}`];
      assert.equal(inPieces(stripper(), text, []), wanted);
      assert.equal(byCharacter(stripper(), text), wanted);
    }
  });
}

const KEPT = [
  '<script src="https://cdn.example/a.js" integrity="sha256-x"></script>',
  '<script src="//cdn.example/a.js" integrity="sha256-x"></script>',
  '<link href="https://push.example/bayeux/a.css" integrity="sha256-x">',
  '<script src="https://shop.example.evil/a.js" integrity="sha256-x">',
  '<script src="https://shop.example:8443/a.js" integrity="sha256-x">',
  '<scripts src="a" integrity="x">',
  '<img src="a" integrity="x">',
  '<script src="a" data-integrity="x">',
  'integrity="x"',
  '< script src="a" integrity="x">',
];
for (const text of KEPT) {
  test(`what the site does not serve, or is no script or style, keeps its hash: ${text}`, () => {
    assert.equal(inPieces(stripper(), text, []), text);
    assert.equal(byCharacter(stripper(), text), text);
  });
}

test('the outcome is the same for every way of cutting a page into pieces', () => {
  const words = fc.constantFrom(
    ...['<script', '<link', '<', 'scr', 'ipt', ' ', '\n', '>', '/', 'src=', 'href=', '"', "'", '='],
    ...[
      ' integrity="x"',
      ' integrity=x',
      'integrity',
      'https://cdn.example/',
      '//shop.example',
      'a',
    ],
  );
  const pages = fc.array(words, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(pages, fc.array(fc.nat(), { maxLength: 8 }), (page, cuts) => {
      const within = cuts.map((cut) => cut % (page.length + 1));
      assert.equal(inPieces(stripper(), page, within), inPieces(stripper(), page, []));
    }),
    { numRuns: 2_000 },
  );
});

test('a page without hashes is untouched, byte for byte', () => {
  const binary = fc.uint8Array({ maxLength: 300 }).map((b) => Buffer.from(b).toString('latin1'));
  fc.assert(
    fc.property(binary, fc.nat(), (text, cut) => {
      assert.equal(inPieces(stripper(), text, [cut % (text.length + 1)]), text);
    }),
  );
});

test('only what may be the beginning of such a tag is held back', () => {
  for (const text of ['<p>x', '<p', '<scripts', 'a < b', '<script src="a">', '<div class="link']) {
    assert.equal(stripper().write(`${text} `), `${text} `);
  }
  assert.equal(stripper().write('<p><script'), '<p>');
  assert.equal(stripper().write('<p><link href="a" '), '<p>');
});

test('a tag without end is not held back without end', () => {
  const step = stripper();
  const piece = 'x'.repeat(1_024);
  let read = step.write('<script ').length;
  let written = '<script '.length;
  for (let i = 0; i < 64; i++) {
    written += piece.length;
    read += step.write(piece).length;
    assert.ok(written - read <= 16 * 1_024, `${written - read} bytes held back`);
  }
  assert.equal(read + step.end().length, written);
});

const LONG = 64 * 1_024;
const HOSTILE: Record<string, string> = {
  'tags that do not end': '<link '.repeat(LONG / 6),
  brackets: '<'.repeat(LONG),
  'spaces in a tag': `<script${' '.repeat(LONG)}>`,
  'spaces in a tag that does not end': `<script${' '.repeat(LONG)}`,
  'attributes without values': `<script${' integrity'.repeat(LONG / 10)}>`,
  'addresses without values': `<script${' src '.repeat(LONG / 5)}>`,
  quotes: `<script ${'a="'.repeat(LONG / 3)}>`,
};
for (const [name, text] of Object.entries(HOSTILE)) {
  test(`a page costs in proportion to its length, whatever is in it: ${name}`, () => {
    assertLinear(() => inPieces(stripper(), text, []), LONG);
  });
}

const POLICIES: Record<string, string> = {
  '<meta http-equiv="Content-Security-Policy" content="connect-src https://push.example">': `<meta http-equiv="Content-Security-Policy" content="connect-src 'self'">`,
  "<meta content='default-src &#39;none&#39;; connect-src wss://push.example' http-equiv=content-security-policy>":
    "<meta content='default-src &#39;none&#39;; connect-src &#39;self&#39;' http-equiv=content-security-policy>",
  '<meta http-equiv="refresh" content="3; url=https://push.example/x">':
    '<meta http-equiv="refresh" content="3; url=https://push.example/x">',
  '<meta http-equiv="Content-Security-Policy" content="connect-src https://other.example">':
    '<meta http-equiv="Content-Security-Policy" content="connect-src https://other.example">',
};
for (const [page, wanted] of Object.entries(POLICIES)) {
  test(`a policy in the page allows the site where it allowed the origin: ${page}`, () => {
    const rewriter = stripper();
    assert.equal(rewriter.write(page) + rewriter.end(), wanted);
  });
}
