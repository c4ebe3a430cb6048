import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Keys } from './comparisons.ts';
import { assertChange, assertSame, same } from './comparisons.ts';

const HTML = 'text/html; charset=utf-8';

type Case = readonly [rule: string, keys: Keys, before: string, after: string];

const css = (selector: string) => ({ css: selector });
/** Parts that are in none of these documents: they are compared by what they say. */
const NONE: Keys = { ignore: css('no-such-part') };
/** The same, but by how they are written. */
const BYTES: Keys = { ...NONE, compare: 'bytes' };

const row = (name: string, age: string) => `<tr><td>${name}<td class="age">${age}`;
/** As old pages are: no end tags that could be left out. */
const rows = (...all: string[]) => `<p>All of them<table id=rows>${all.join('\n')}</table>`;

const SAME: readonly Case[] = [
  [
    'what is ignored',
    { ignore: css('#rows td.age') },
    rows(row('a', '1 s')),
    rows(row('a', '2 s')),
  ],
  [
    'an ignored element with elements in it',
    { ignore: css('.x') },
    '<p class="a x">1<b>2</b></p>',
    '<p class="a x">3</p>',
  ],
  [
    'whether an ignored element is there',
    { ignore: css('.x') },
    '<ul>\n<li class=x>1\n<li>2\n</ul>',
    '<ul>\n<li>2\n</ul>',
  ],
  [
    'the only element, if it is ignored',
    { ignore: css('.x') },
    '<ul>\n  <li class=x>1</li>\n</ul>',
    '<ul></ul>',
  ],
  [
    'ignored cells by their column',
    { ignore: css('td:nth-child(2)') },
    rows(row('a', '1'), row('b', '2')),
    rows(row('a', '3'), row('b', '4')),
  ],
  [
    'ignored scripts and hidden fields',
    { ignore: [css('script'), css('input[name=token]')] },
    '<script>t=1</script><input name=token value=1>',
    '<script>t="<p>"</script><input name=token value=2>',
  ],
  [
    'what is not selected',
    { select: css('#rows') },
    `<p>1:00${rows(row('a', '1'))}`,
    `<p>1:01${rows(row('a', '1'))}<p>x`,
  ],
  [
    'what is ignored of what is selected',
    { select: css('#rows'), ignore: css('.age') },
    rows(row('a', '1')),
    rows(row('a', '2')),
  ],
  [
    'what is selected within what is ignored',
    { select: css('b'), ignore: css('p') },
    '<p><b>1</b></p>',
    '<p><b>2</b></p>',
  ],
  [
    'that a selected element lies in a selected one',
    { select: css('div') },
    '<div>1<div>2</div></div><p>3',
    '<div>1<div>2</div></div><p>4',
  ],
  ['letter case and quotes of tags', NONE, '<P CLASS=x>1</P>', '<p class="x">1'],
  ['the order of attributes', NONE, '<a b=1 c=2></a>', '<a c=2 b=1></a>'],
  ['how a character is written', NONE, '<p>&eacute;&amp;', '<p>é&#38;'],
  ['end tags that may be missing', NONE, '<ul><li>1<li>2</ul>', '<ul><li>1</li><li>2</li></ul>'],
  [
    'whitespace between tags',
    NONE,
    '<ul><li>1</li><li>2</li></ul>',
    '<ul>\n\t<li>1</li>\r\n<li>2</li></ul>\n',
  ],
  ['comments', NONE, '<p>1</p><!-- made in 0.013 s -->', '<p>1</p><!-- made in 0.014 s -->'],
  [
    'a path, which is for JSON and XML',
    { ignore: ['/html/body', css('i')] },
    '<i>1</i><p>',
    '<i>2</i><p>',
  ],
  [
    'what is ignored, when bytes count',
    { ignore: css('i'), compare: 'bytes' },
    '<i>1</i> <p>',
    '<i>2</i> <p>',
  ],
];
for (const [rule, keys, before, after] of SAME) {
  test(`no change of HTML: ${rule}`, () => assertSame(HTML, keys, [before, after]));
}

const CHANGES: readonly Case[] = [
  ['a text', NONE, '<p>1', '<p>2'],
  ['a tag', NONE, '<b>1</b>', '<i>1</i>'],
  ['an attribute', NONE, '<p class=a>', '<p class=b>'],
  ['an attribute without value', NONE, '<input>', '<input disabled>'],
  ['an attribute "__proto__"', NONE, '<p __proto__=1>', '<p __proto__=2>'],
  ['the document type', NONE, '<!DOCTYPE html><p>', '<p>'],
  ['a script', NONE, '<script>a<b</script>', '<script>a<c</script>'],
  ['the level of an element', NONE, '<div><p></p></div><b></b>', '<div><p></p><b></b></div>'],
  ['the limits of texts', NONE, '<b>x</b><b>y</b>', '<b>xy</b><b></b>'],
  ['text that looks like what is around it', NONE, '<b>x<i></i></b>', '<b>x&lt;1:i&gt;/</b>'],
  ['a no-break space', NONE, '<td></td>', '<td>&nbsp;</td>'],
  ['a template', NONE, '<template><p>1</template>', '<template><p>2</template>'],
  [
    'what is not ignored',
    { ignore: css('#rows td.age') },
    rows(row('a', '1 s')),
    rows(row('b', '1 s')),
  ],
  [
    'a row more',
    { ignore: css('#rows td.age') },
    rows(row('a', '1')),
    rows(row('a', '1'), row('b', '1')),
  ],
  ['a selected element that appears', { select: css('.alert') }, '<p>', '<p><b class=alert></b>'],
  ['how many selected elements there are', { select: css('b') }, '<b>1</b>', '<b>1</b><b>1</b>'],
  ['a selected attribute', { select: css('#a') }, '<p id=a title=1>', '<p id=a title=2>'],
  [
    'texts of two selectors that swap',
    { select: [css('.a b'), css('.c b')] },
    '<p class=a><b>1</b><p class=c><b>2</b>',
    '<p class=a><b>2</b><p class=c><b>1</b>',
  ],
  ['whitespace between tags, when bytes count', BYTES, '<b>1</b><b>2</b>', '<b>1</b> <b>2</b>'],
  ['comments, when bytes count', BYTES, '<!-- 1 -->', '<!-- 2 -->'],
  ['the order of attributes, when bytes count', BYTES, '<p a=1 b=2>', '<p b=2 a=1>'],
  ['comments, where there are no parts', {}, '<!-- 1 -->', '<!-- 2 -->'],
  ['whitespace in a tag, where the parts are for JSON and XML', { ignore: '/a' }, '<p >', '<p>'],
];
for (const [rule, keys, before, after] of CHANGES) {
  test(`a change of HTML: ${rule}`, () => assertChange(HTML, keys, [before, after]));
}

test('XHTML is compared as HTML', () => {
  const type = 'application/xhtml+xml';
  assertSame(type, { ignore: css('#age') }, ['<p id="age">1</p>', '<p id="age">2</p>']);
});

test('HTML is read by its charset, and by windows-1252 when it is no UTF-8', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const keys: Keys = { ignore: css('.ä') };
  assertSame('text/html', keys, [latin('<b class="ä">1</b>'), latin('<b class="ä">2</b>')]);
  assertSame(HTML, keys, ['<b class="ä">1</b>', '<b class="ä">2</b>']);
  assertSame('text/html', NONE, [latin('<p>ä'), latin('<p>&auml;')]);
});

test('HTML that breaks its promise to be UTF-8 keeps its parts', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  assertSame(HTML, { ignore: css('.x') }, [latin('<b class=x>1</b>ä'), latin('<b class=x>2</b>ä')]);
  assertChange(HTML, { ignore: css('.x') }, [latin('<b>ä</b>'), latin('<b>ö</b>')]);
});

test('HTML that is nested very deeply is compared by bytes', () => {
  const nested = (levels: number, inner: string) => '<div>'.repeat(levels) + inner;
  assertChange(HTML, NONE, [nested(100_000, '<p>'), nested(100_000, '<p >')]);
  assertChange(HTML, NONE, [nested(512, '<p>'), nested(512, '<p >')]);
  assertSame(HTML, NONE, [nested(511, '<p>'), nested(511, '<p >')]);
});

test('end tags of nothing do not make a deep document slow', () => {
  // Each would be looked for in all open elements: 10^10 steps.
  const odd = (space: string) => `${'<div>'.repeat(100_000)}${'</b>'.repeat(100_000)}<p${space}>`;
  assertChange(HTML, NONE, [odd(''), odd(' ')]);
});

test('a selector that would look at too many siblings is given up, and bytes are compared', () => {
  const list = (space: string) => `<ul${space}>${'<li>1</li>'.repeat(20_000)}</ul>`;
  const isSame = same(HTML, { ignore: css('li:nth-of-type(3n)') });
  assert.equal(isSame(list(''), list(' ')), false);
  // The next document is looked into again.
  assert.equal(isSame('<ul><li>1</li></ul>', '<ul ><li>1</li></ul>'), true);
  assertSame(HTML, { ignore: css('li + li') }, [list(''), list(' ')]);
});
