import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { part } from '../../src/config/part.ts';
import { jsonTrees, leavesOf, textOf, withChange } from './json-tree.ts';
import { settles, suggested } from './suggestions.ts';

type Case = readonly [rule: string, before: unknown, after: unknown, entries: readonly unknown[]];

const counters = (from: number) =>
  Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`c${index}`, from + index]));

const JSON_CASES: readonly Case[] = [
  ['a member', { now: 1, a: 2 }, { now: 3, a: 2 }, ['/now']],
  ['a member of a member', { a: { b: 1, c: 2 } }, { a: { b: 3, c: 2 } }, ['/a/b']],
  [
    'several members, each by its name',
    { at: 1, up: 2, id: 3 },
    { at: 4, up: 5, id: 3 },
    ['/at', '/up'],
  ],
  ['a member that appears', { a: 1 }, { a: 1, b: { c: 2 } }, ['/b']],
  ['a member that changes its type', { a: { b: 1 } }, { a: [1] }, ['/a']],
  ['one item, by its index', [1, { b: 1 }], [1, { b: 2 }], ['/1/b']],
  [
    'the same member of several items',
    {
      aircraft: [
        { hex: 'a', seen: 1 },
        { hex: 'b', seen: 2 },
      ],
    },
    {
      aircraft: [
        { hex: 'a', seen: 3 },
        { hex: 'b', seen: 4 },
      ],
    },
    ['/aircraft/*/seen'],
  ],
  [
    'members of several items, even if not the same',
    [
      { seen: 1, rssi: 1 },
      { seen: 1, rssi: 1 },
      { seen: 1, rssi: 1 },
    ],
    [
      { seen: 2, rssi: 1 },
      { seen: 1, rssi: 2 },
      { seen: 1, rssi: 1 },
    ],
    ['/*/seen', '/*/rssi'],
  ],
  ['items that come', { l: [1] }, { l: [1, 2, 3] }, ['/l/*']],
  ['whole items rather than their members', { l: [{ a: 1 }, 1] }, { l: [{ a: 2 }, 2] }, ['/l/*']],
  [
    'the same member of several members',
    { t: { x: { rate: 1, n: 'x' }, y: { rate: 2, n: 'y' } } },
    { t: { x: { rate: 3, n: 'x' }, y: { rate: 4, n: 'y' } } },
    ['/t/*/rate'],
  ],
  [
    'the same member of few members of many, each by its name',
    { a: { v: 1 }, b: { v: 1 }, c: { v: 1 }, d: { v: 1 }, e: { v: 1 } },
    { a: { v: 2 }, b: { v: 2 }, c: { v: 1 }, d: { v: 1 }, e: { v: 1 } },
    ['/a/v', '/b/v'],
  ],
  ['all members of an object of counters', { a: counters(1) }, { a: counters(2) }, ['/a/*']],
  [
    'members of the document itself, however many',
    counters(1),
    counters(2),
    Object.keys(counters(1)).map((name) => `/${name}`),
  ],
  ['a name with "/" and "~"', { 'a/b~': 1 }, { 'a/b~': 2 }, ['/a~1b~0']],
  [
    'a member "__proto__"',
    JSON.parse('{"__proto__":1}'),
    JSON.parse('{"__proto__":2}'),
    ['/__proto__'],
  ],
  ['nothing of a document that is a scalar', 1, 2, []],
  ['nothing of a document that changes its type', [], {}, []],
  ['nothing where only the order of members changes', { a: 1, b: 2 }, { b: 2, a: 1 }, []],
  [
    'nothing that no path can name',
    { '': 1, ['x'.repeat(300)]: 1 },
    { '': 2, ['x'.repeat(300)]: 2 },
    [],
  ],
];
for (const [rule, before, after, entries] of JSON_CASES) {
  test(`of JSON it suggests to ignore ${rule}`, () => {
    const [a, b] = [JSON.stringify(before), JSON.stringify(after)];
    assert.deepEqual(suggested('application/json', a, b), entries);
  });
}

test('a number that a double cannot hold is seen to change', () => {
  const [a, b] = ['{"a":9007199254740992}', '{"a":9007199254740993}'];
  assert.deepEqual(suggested('application/json', a, b), ['/a']);
});

test('no more than 20 entries are suggested', () => {
  const members = (value: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`m${i}`, value])));
  assert.equal(suggested('application/json', members(1), members(2)).length, 20);
});

test('JSON that is called HTML is looked into as JSON', () => {
  assert.deepEqual(suggested('text/html', '{"a":1}', '{"a":2}'), ['/a']);
});

const XML_CASES: readonly (readonly [
  rule: string,
  before: string,
  after: string,
  entries: readonly string[],
])[] = [
  [
    'an element',
    '<rss><channel><built>1</built><t>x</t></channel></rss>',
    '<rss><channel><built>2</built><t>x</t></channel></rss>',
    ['/rss/channel/built'],
  ],
  ['an attribute', '<a t="1" u="2"/>', '<a t="3" u="2"/>', ['/a/@t']],
  [
    'the same attribute of several elements',
    '<g><s rf="1"/><m rf="1"/></g>',
    '<g><s rf="2"/><m rf="2"/></g>',
    ['/g/*/@rf'],
  ],
  [
    'the same element, however often it is there',
    '<l><i><n>1</n></i><i><n>2</n></i></l>',
    '<l><i><n>1</n></i><i><n>3</n></i></l>',
    ['/l/i/n'],
  ],
  [
    'an element of which there is one more',
    '<l><i><n>1</n></i></l>',
    '<l><i><n>1</n></i><i><n>2</n></i></l>',
    ['/l/i'],
  ],
  ['nothing of a document whose root changes', '<a>1</a>', '<a>2</a>', []],
  ['nothing where the order changes', '<a><b/><c/></a>', '<a><c/><b/></a>', []],
  ['names with their prefixes', '<x:a><y:b>1</y:b></x:a>', '<x:a><y:b>2</y:b></x:a>', ['/x:a/y:b']],
];
for (const [rule, before, after, entries] of XML_CASES) {
  test(`of XML it suggests to ignore ${rule}`, () => {
    assert.deepEqual(suggested('text/xml', before, after), entries);
    if (entries.length > 0) assert.ok(settles('text/xml', before, after));
  });
}

test('of what is no document nothing is suggested, nor of the same twice', () => {
  assert.deepEqual(suggested('text/plain', 'a', 'b'), []);
  assert.deepEqual(suggested('image/png', Buffer.from([0xff]), Buffer.from([0xfe])), []);
  assert.deepEqual(suggested('application/json', '{"a":', '{"a":1'), []);
  assert.deepEqual(suggested('application/json', '{"a":1}', '{"a":1}'), []);
});

test('documents that are nested very deeply are left alone', () => {
  const many = 100_000;
  const deep = (open: string, close: string, inner: string) =>
    open.repeat(many) + inner + close.repeat(many);
  suggested('application/json', deep('[', ']', '1'), deep('[', ']', '2'));
  suggested('text/xml', deep('<a>', '</a>', '1'), deep('<a>', '</a>', '2'));
  suggested('text/html', deep('<b>', '</b>', '1'), deep('<b>', '</b>', '2'));
});

test('with what is suggested in "ignore", JSON that changed in any places is the same', () => {
  fc.assert(
    fc.property(jsonTrees, fc.array(fc.nat(), { maxLength: 6 }), (tree, places) => {
      let other = tree;
      for (const place of places) {
        const ways = leavesOf(other).filter((way) => way.length > 0);
        const way = ways[place % Math.max(1, ways.length)];
        if (way) other = withChange(other, way, () => ({ token: `"changed ${place}"` }));
      }
      const [a, b] = [textOf(tree), textOf(other)];
      const isNamed = !/"":|"[*]{2}":/.test(a);
      if (isNamed) assert.ok(settles('application/json', a, b), `${a} -> ${b}`);
    }),
    { numRuns: 2_000 },
  );
});

test('whatever the bodies are, suggestions are entries of a config', () => {
  const bodies = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          '<p id=1>',
          '<b class="a b">',
          '</b>',
          '<o:p>',
          '<x a="1">',
          '<tr>',
          '<td>',
          '{',
          '"a":',
          '1',
          ',',
          '}',
          '[',
        ),
        fc.string({ maxLength: 3 }),
      ),
      { maxLength: 30 },
    )
    .map((pieces) => pieces.join(''));
  const types = fc.constantFrom('text/html', 'text/xml', 'application/json', 'text/plain');
  fc.assert(
    fc.property(bodies, bodies, types, (before, after, type) => {
      const entries = suggested(type, before, after);
      assert.ok(entries.length <= 20);
      for (const entry of entries) part.parse(entry);
    }),
    { numRuns: 1_000 },
  );
});
