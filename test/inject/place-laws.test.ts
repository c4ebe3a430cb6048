import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { edited, editsOf, TAGS, withScript } from './edited-page.ts';
import { Tree } from './tree.ts';

const SRC = /src="([^"]*)"/.exec(TAGS)?.[1] ?? '';

/** What pages begin with, and what is taken for it. */
const PARTS = [
  ...['<!doctype html>', '<!DOCTYPE html PUBLIC "a>b" "c">', '<?xml version="1.0"?>', '\n', ' '],
  ...['<html>', '<html lang="a>b">', '<html/>', '<HTML ', '</html>', '<head>', "<head a='<'>"],
  ...['<head', '</head>', '<header>', '<body>', '<body bgcolor=red>', '</body>', '<frameset>'],
  ...['<frame>', '<noframes><head></noframes>', '<title>a<head>b</title>', '<title>', '</title>'],
  ...['<!-- <head> -->', '<!-->', '<!--->', '<!-- --!>', '<!--', '-->', '<!x>', '<![if x]>'],
  ...['<script>"<head>"</script>', '<script>', '</script>', '<script src=a></script>'],
  ...['<style><head></style>', '<textarea><head></textarea>', '<template><head></template>'],
  ...['<noscript><head></noscript>', '<noscript>', '</noscript>', '<base href=/a>', '<meta a=b>'],
  ...['<p>', '</p>', '<br>', '</br>', '<table>', '<td>', '<svg>', '<math><title></math>', '<b'],
  ...['text', '<', '</', '<1', '< p>', '&lt;head>', '>', '"', "'", '=', '/', 'a', '\0', '\x0b'],
];
const pages = fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join(''));

test('browsers build the same page around the script, which comes before all others', () => {
  let changedPages = 0;
  fc.assert(
    fc.property(pages, (page) => {
      const changed = withScript(page);
      if (changed === undefined) return;
      changedPages += 1;
      const tree = new Tree(changed);
      const scripts = tree.elements.filter(({ name }) => name === 'script');
      assert.deepEqual(scripts[0], { name: 'script', parent: 'head', attributes: { src: SRC } });
      const [, , first] = tree.elements;
      assert.deepEqual(first, scripts[0], 'nothing stands before it in the head');
      assert.equal(tree.without(SRC), new Tree(page).without(SRC));
    }),
    { numRuns: 20_000 },
  );
  assert.ok(changedPages > 10_000, `${changedPages} pages have got it`);
});

test('a page that a browser would find a tag in has a place', () => {
  fc.assert(
    fc.property(pages, (page) => {
      // Of some texts it is known that they are read in another way: then the page stays as it is.
      if (withScript(page) !== undefined) return;
      // These are implied, by end tags too.
      const implied = new Set(['html', 'head', 'body', 'p']);
      const elements = new Tree(page).elements.filter(({ name }) => !implied.has(name));
      assert.deepEqual(elements, []);
    }),
    { numRuns: 5_000 },
  );
});

test('every byte of a page stays, in its order, wherever it is cut', () => {
  const options = fc.record({
    isXml: fc.boolean(),
    becomes: fc.constantFrom(
      'document' as const,
      'document-with-tags' as const,
      'unknown' as const,
    ),
    ownRefresh: fc.constantFrom(undefined, new URL('http://site.test/page')),
  });
  const refreshing = fc.constantFrom(
    ...PARTS,
    ...['<meta http-equiv=refresh content=5>', '<meta http-equiv="refresh" content="', '5">'],
    ...['<meta', ' http-equiv=refresh', ' content=5', '<script><!--<script>', '<template>'],
  );
  const cuttable = fc.array(refreshing, { maxLength: 14 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(cuttable, options, fc.array(fc.nat(200), { maxLength: 8 }), (page, how, cuts) => {
      const whole = edited(page, how);
      assert.equal(edited(page, how, cuts), whole);
      let stripped = whole;
      for (const { at, text } of editsOf(page, how)) {
        const inserted = text === 'tags' ? '|' : text;
        assert.equal(stripped.slice(at, at + inserted.length), inserted);
        stripped = stripped.slice(0, at) + stripped.slice(at + inserted.length);
      }
      assert.equal(stripped, page);
    }),
    { numRuns: 20_000 },
  );
});

test('random bytes stay as they are, but for the tags', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, cut) => {
      const page = Buffer.from(bytes).toString('latin1').replaceAll('|', '!');
      assert.equal(edited(page, {}, [cut]).replace('|', ''), page);
    }),
  );
});
