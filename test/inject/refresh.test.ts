import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyEdits } from '../../src/passthrough/inject/page-editor.ts';
import { selfRefresh } from '../../src/passthrough/inject/self-refresh.ts';
import { edited, editsOf, TAGS } from './edited-page.ts';
import { Tree } from './tree.ts';

const PAGE = new URL('http://site.test/status/page?x=1&y=2');

/** Seconds until the page is loaded again; `undefined` for what does not load this very page. */
const VALUES: readonly (readonly [value: string, seconds: number | undefined])[] = [
  ['5', 5],
  [' 30 ', 30],
  ['0', 0],
  ['5.7', 5],
  ['.5', 0],
  ['5;', 5],
  ['5; ', 5],
  ['5,', 5],
  ['5; url=', 5],
  ["5; url=''", 5],
  ['5; URL="/status/page?x=1&y=2"', 5],
  ['5;url=http://site.test/status/page?x=1&y=2', 5],
  ['5 url=page?x=1&y=2', 5],
  ['5; ?x=1&y=2', 5],
  ["5; 'page?x=1&y=2' and more", 5],
  ['5; url = "page?x=1&y=2', 5],
  ['5; url=http://SITE.test:80/status/./page?x=1&y=2', 5],
  ['5; url=/status/page', undefined],
  ['5; url=/status/page?x=1&y=3', undefined],
  ['5; url=https://site.test/status/page?x=1&y=2', undefined],
  ['5; url=http://other.test/status/page?x=1&y=2', undefined],
  ['5; url=#top', undefined],
  ['5; url=#', undefined],
  ['5; /next', undefined],
  ['5; url=http://[', undefined],
  ['5x', undefined],
  ['', undefined],
  ['soon', undefined],
  ['-1', undefined],
  ['; url=/next', undefined],
  ['9999999999', undefined],
];
for (const [value, seconds] of VALUES) {
  test(`a refresh by "${value}" is ${seconds === undefined ? 'none of this page' : `every ${seconds} s`}`, () => {
    assert.equal(selfRefresh(value, PAGE, PAGE)?.seconds, seconds);
  });
}

test('where nobody knows what URLs are relative to, relative ones lead elsewhere', () => {
  assert.equal(selfRefresh('5; url=page?x=1&y=2', PAGE, undefined), undefined);
  const withBase = (tag: string) => edited(`<base href="/a/">${tag}`, { ownRefresh: PAGE });
  const relative = '<meta http-equiv="refresh" content="5; url=page?x=1&y=2">';
  assert.equal(withBase(relative), `|<base href="/a/">${relative}`);
  const none = '<meta http-equiv="refresh" content="5">';
  assert.equal(withBase(none), `|<base href="/a/"><noscript>${none}</noscript>`);
  const absolute = `<meta http-equiv="refresh" content="5; url=${PAGE}">`;
  assert.equal(withBase(absolute), `|<base href="/a/"><noscript>${absolute}</noscript>`);
});

/** What is in brackets is for browsers without scripts. */
const PAGES: readonly string[] = [
  '<head>|[<meta http-equiv="refresh" content="5">]<title>x</title>',
  "<head>|[<META HTTP-EQUIV='Refresh' CONTENT='5'>]",
  '<head>|[<meta content=5 http-equiv=REFRESH>]',
  '<head>|[<meta http-equiv="refresh" content="5"/>]',
  '<head>|[<meta\nhttp-equiv = refresh\ncontent = "5"\n>]',
  '<head>|[<meta http-equiv=refresh content="5; url=/status/page?x=1&amp;y=2">]',
  '<head>|[<meta http-equiv="&#114;efresh" content="5">]',
  '|[<meta http-equiv=refresh content=5>]<p>',
  '<head>|</head><body><p>x[<meta http-equiv=refresh content=5>]y</p>',
  '<head>|</head><body></body></html>[<meta http-equiv=refresh content=5>]',
  '<head>|[<meta http-equiv=refresh content=5>][<meta http-equiv=refresh content=6>]',
  '<head>|<script>var a = "<meta http-equiv=refresh content=1>"</script>[<meta http-equiv=refresh content=5>]',
  '<head>|<noscript><meta http-equiv=refresh content=1></noscript>[<meta http-equiv=refresh content=5>]',
  '<head>|<template><template></template><meta http-equiv=refresh content=1></template>[<meta http-equiv=refresh content=5>]',
  '<head>|<script><!-- a() --></script>[<meta http-equiv=refresh content=5>]',
  '<head>|<blockquotenoscript>[<meta http-equiv=refresh content=5>]',
  // Left alone.
  '<head>|<body><svg><title></svg><meta http-equiv=refresh content=1>',
  '|<frameset><title></frameset><meta http-equiv=refresh content=1>',
  '<head>|<body><select></select><meta http-equiv=refresh content=1>',
  '<head>|<body><math></math><meta http-equiv=refresh content=1>',
  '<head>|<meta http-equiv="refresh" content="5; url=/next">',
  '<head>|<meta http-equiv="refresh" url="/">',
  '<head>|<meta http-equiv="x-refresh" content="5"><meta name="refresh" content="5">',
  '<head>|<metal http-equiv=refresh content=5><blockquotemeta http-equiv=refresh content=5>',
  '<head>|<!-- <meta http-equiv=refresh content=1> -->',
  '<head>|<title><meta http-equiv=refresh content=1></title>',
  '<head>|<style><meta http-equiv=refresh content=1></style>',
  '<head>|<body><textarea><meta http-equiv=refresh content=1></textarea>',
  '<head>|<body><p title="<meta http-equiv=refresh content=1>">',
  '<head>|<body><xmp><meta http-equiv=refresh content=1></xmp>',
  '<head>|<body><iframe><meta http-equiv=refresh content=1></iframe>',
  '<head>|<body><plaintext><meta http-equiv=refresh content=1>',
  '<head>|<meta http-equiv=refresh content=5',
  '<head>|<meta http-equiv=refresh content="5>',
  // Browsers are still in the script.
  '<head>|<script><!-- <script> </script> <meta http-equiv=refresh content=1> </script>',
  '<head>|<script><!-- "<script" </script> "<meta http-equiv=refresh content=1>" --></script>',
];
for (const page of PAGES) {
  test(`a page that reloads itself does so without scripts only: ${page}`, () => {
    const source = page.replace(/[|[\]]/g, '');
    const wanted = page.replaceAll('[', '<noscript>').replaceAll(']', '</noscript>');
    const how = { ownRefresh: PAGE };
    assert.equal(edited(source, how), wanted);
    for (let cut = 1; cut < source.length; cut++) {
      assert.equal(edited(source, how, [cut]), wanted, `cut at ${cut}`);
    }
    const everywhere = Array.from({ length: source.length }, (_, i) => i);
    assert.equal(edited(source, how, everywhere), wanted);
  });
}

const META = '<meta http-equiv=refresh content=5>';

test('a page that is not live itself goes on to reload itself', () => {
  assert.equal(edited(`<head>${META}`), `<head>|${META}`);
});

test('so does XHTML, where what is meant for browsers without scripts is there for all', () => {
  const page = '<html xmlns="x"><head><meta http-equiv="refresh" content="5"/></head></html>';
  assert.equal(edited(page, { isXml: true, ownRefresh: PAGE }), page.replace('<head>', '<head>|'));
});

test('so does what gets no script', () => {
  const part = `<div>${META}</div>`;
  assert.equal(edited(part, { becomes: 'unknown', ownRefresh: PAGE }), part);
});

test('so does a page with a tag that is too long, or that comes too late', () => {
  const long = `<head><meta http-equiv=refresh content=5 title="${'x'.repeat(9_000)}">`;
  assert.equal(edited(long, { ownRefresh: PAGE }), long.replace('<head>', '<head>|'));
  const late = `<head>${' '.repeat(2 * 1_024 * 1_024)}${META}`;
  assert.equal(edited(late, { ownRefresh: PAGE }), late.replace('<head>', '<head>|'));
});

const QUOTED = '<meta http-equiv="refresh" content="7">';

test('browsers with scripts build the same page, with those elements for others only', () => {
  const parts = fc.constantFrom(
    ...[QUOTED, QUOTED, '<p>', '</p>', '<table>', '<tr>', 'text', '<br>', '<body>'],
    ...['<script>', '</script>', '<style>', '</style>', '<title>', '</title>', '<!--', '-->'],
    ...['<textarea>', '</textarea>', '<select>', '</select>', '<div a="', '">', "'", '<b>'],
    ...[
      '<template>',
      '</template>',
      '<noscript>',
      '</noscript>',
      '<svg>',
      '<math>',
      '</svg>',
      '<frameset>',
    ],
    ...['<![CDATA[', ']]>', '<svg><script>', '<svg><title>', '<svg><style>', '<xmp>', '</xmp>'],
  );
  const element = QUOTED.replaceAll(' ', '');
  const unwrapped = (tree: string) => tree.replaceAll(`<noscript>${element}</noscript>`, element);
  let wrapped = 0;
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 14 }), (texts) => {
      const page = `<!doctype html><head>${texts.join('')}`;
      const edits = editsOf(page, { ownRefresh: PAGE });
      const changed = new Tree(applyEdits(page, 0, edits, TAGS));
      const tree = new Tree(page);
      assert.deepEqual(changed.texts, tree.texts);
      assert.equal(
        unwrapped(changed.without('/_comet/client.js')),
        unwrapped(tree.without('none')),
      );
      if (edits.length > 1) wrapped += 1;
      // What is read in another way than browsers do is left alone.
      if (/template|noscript|<!|svg|math|select|frameset/.test(texts.join(''))) return;
      assert.ok(changed.elements.every(({ name }) => name !== 'meta'));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(wrapped > 1_000, `${wrapped} pages`);
});
