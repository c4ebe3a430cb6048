import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settles, suggested } from './suggestions.ts';

const page = (body: string) =>
  `<!DOCTYPE html><html><head><title>x</title></head><body>${body}</body></html>`;
const table = (id: string, ...cells: string[]) =>
  `<table${id}><tr><th>Name<th>Up<th>State${cells.map((up, i) => `<tr><td>n${i}<td>${up}<td>UP`).join('')}</table>`;

const HTML_CASES: readonly (readonly [
  rule: string,
  before: string,
  after: string,
  selectors: readonly string[],
])[] = [
  ['an element by its id', '<p>a<b id=clock>1</b>', '<p>a<b id=clock>2</b>', ['#clock']],
  ['an element with an odd id', '<b id="a:b.c">1</b>', '<b id="a:b.c">2</b>', ['[id="a:b.c"]']],
  [
    'an element by its class',
    '<p>a<b class="x up">1</b><b class=x>0</b>',
    '<p>a<b class="x up">2</b><b class=x>0</b>',
    ['b.up'],
  ],
  [
    'several elements by one class',
    '<i class=age>1</i><i class=age>1</i>',
    '<i class=age>2</i><i class=age>3</i>',
    ['i.age'],
  ],
  [
    'not a class of which few elements differ',
    '<p class=x>1<p class=x>2<p class=x>3',
    '<p class=x>0<p class=x>2<p class=x>3',
    ['body > p:nth-of-type(1)'],
  ],
  [
    'an element by its way from an id',
    '<div id=top><p>a<p>1</div>',
    '<div id=top><p>a<p>2</div>',
    ['#top > p:nth-of-type(2)'],
  ],
  ['an element by its way from the body', '<p>a<p>1', '<p>a<p>2', ['body > p:nth-of-type(2)']],
  [
    'a column of a table',
    table(' id=web', '1', '2'),
    table(' id=web', '3', '4'),
    ['#web > tr > td:nth-of-type(2)'],
  ],
  [
    'a column of a table without id',
    table('', '1', '2'),
    table('', '3', '4'),
    ['body > table > tr > td:nth-of-type(2)'],
  ],
  [
    'an element whose attribute changes',
    '<img id=chart src="?1">',
    '<img id=chart src="?2">',
    ['#chart'],
  ],
  [
    'an element in which others come',
    '<ul id=log><li>1</ul>',
    '<ul id=log><li>1<li>2</ul>',
    ['#log'],
  ],
  [
    'what is around an element whose id is new each time',
    '<div id=top><b id=x1>1</b></div>',
    '<div id=top><b id=x2>1</b></div>',
    ['#top > b'],
  ],
  [
    'rows whose ids are numbers, all by one way',
    '<table id=l><tr id=r1><td>1<tr id=r2><td>1</table>',
    '<table id=l><tr id=r1><td>2<tr id=r2><td>2</table>',
    ['#l > tr > td'],
  ],
  ['nothing where the whole body changes', '1', '2', []],
];
for (const [rule, before, after, selectors] of HTML_CASES) {
  test(`of HTML it suggests to ignore ${rule}`, () => {
    const [a, b] = [page(before), page(after)];
    assert.deepEqual(
      suggested('text/html', a, b),
      selectors.map((css) => ({ css })),
    );
    if (selectors.length > 0) assert.ok(settles('text/html', a, b));
  });
}

test('of a piece of HTML it suggests ways from its top', () => {
  const [a, b] = ['<p>a<b>1</b><p><b>x</b>', '<p>a<b>2</b><p><b>x</b>'];
  assert.deepEqual(suggested('text/html', a, b), [{ css: 'p:root:nth-of-type(1) > b' }]);
  assert.ok(settles('text/html', a, b));
});

test('of a title it suggests its way', () => {
  const [a, b] = [page('x'), page('x').replace('<title>x', '<title>y')];
  assert.deepEqual(suggested('text/html', a, b), [{ css: 'head > title' }]);
});
