import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import type { Part } from '../../src/config/part.ts';
import { parts } from '../../src/config/part.ts';
import type { JsonSchema } from '../../src/config/problems.ts';
import { formatProblem, problemsOf } from '../../src/config/problems.ts';

/** A config in which only the parts are. */
const schema = z.strictObject({ ignore: parts('What does not count.') });
const jsonSchema = z.toJSONSchema(schema, { io: 'input' });
const validate = new Ajv2020({ strict: false }).compile(jsonSchema);

/** What is reported about parts, line by line; `[]` when they are accepted. */
function problemsIn(ignore: unknown): string[] {
  const value = { ignore };
  const result = schema.safeParse(value);
  if (result.success) return [];
  const source = { file: 'c.json', text: '', root: undefined };
  return problemsOf(result.error.issues, source, value, jsonSchema as JsonSchema).map(
    formatProblem,
  );
}

const path = (source: string, ...segments: string[]): Part => ({ kind: 'path', source, segments });

const READ: readonly (readonly [rule: string, value: unknown, parts: readonly Part[]])[] = [
  ['nothing at all', undefined, []],
  ['an empty list', [], []],
  ['a path', '/now', [path('/now', 'now')]],
  [
    'a path of several levels',
    ['/aircraft/*/seen'],
    [path('/aircraft/*/seen', 'aircraft', '*', 'seen')],
  ],
  [
    'a glob within a segment',
    '/result/FreeDisk*',
    [path('/result/FreeDisk*', 'result', 'FreeDisk*')],
  ],
  ['an attribute', '/graphs/*/@rf', [path('/graphs/*/@rf', 'graphs', '*', '@rf')]],
  ['escapes, as in RFC 6901', '/a~1b/~0/~01', [path('/a~1b/~0/~01', 'a/b', '~', '~1')]],
  ['a segment that is no identifier', '/ a%20b /é', [path('/ a%20b /é', ' a%20b ', 'é')]],
  ['a name that a prototype has', '/__proto__', [path('/__proto__', '__proto__')]],
  ['a selector', { css: '#rows td.age' }, [{ kind: 'css', selector: '#rows td.age' }]],
  ['a list of selectors in one', { css: 'a, b > c' }, [{ kind: 'css', selector: 'a, b > c' }]],
  [
    'a selector with pseudo-classes',
    [{ css: 'tr:nth-child(2n+1) > td:not(.x)' }],
    [{ kind: 'css', selector: 'tr:nth-child(2n+1) > td:not(.x)' }],
  ],
  ['both forms', ['/a', { css: 'p' }], [path('/a', 'a'), { kind: 'css', selector: 'p' }]],
  ['the longest path', `/${'a'.repeat(255)}`, [path(`/${'a'.repeat(255)}`, 'a'.repeat(255))]],
];
for (const [rule, value, expected] of READ) {
  test(`parts may be ${rule}`, () => {
    assert.deepEqual(schema.parse({ ignore: value }).ignore, expected);
    assert.ok(validate(JSON.parse(JSON.stringify({ ignore: value }))), 'the schema for editors');
  });
}

const SELECTOR = 'must be a CSS selector such as "#rows td.age"';
const REFUSED: readonly (readonly [rule: string, value: unknown, problems: readonly string[]])[] = [
  [
    'a path without "/"',
    'now',
    ['"ignore" must start with "/", or be a {"css": "…"}: try "/now": current value is "now"'],
  ],
  [
    'a selector that is no object',
    ['#rows'],
    ['must start with "/", or be a {"css": "…"}: try {"css":"#rows"}: current value is "#rows"'],
  ],
  [
    'nothing in quotes',
    '',
    [
      '"ignore" must name a part, such as "/status": without "select" the whole answer counts, without "ignore" nothing is left out: current value is ""',
    ],
  ],
  [
    'a slash alone',
    ['/'],
    [
      'must name a part, such as "/status": without "select" the whole answer counts, without "ignore" nothing is left out: current value is "/"',
    ],
  ],
  [
    'a slash at the end',
    ['/a/'],
    ['must not hold empty segments: try "/a": current value is "/a/"'],
  ],
  ['slashes alone', ['//'], ['must not hold empty segments: current value is "//"']],
  [
    'a bad escape',
    ['/a~b'],
    ['must write "~" in a name as "~0", and "/" as "~1": current value is "/a~b"'],
  ],
  [
    'any depth',
    ['/**/seen'],
    [
      'must not hold "**": a part is named level by level, "*" is one level: current value is "/**/seen"',
    ],
  ],
  [
    'a selector that does not end',
    { css: 'td[' },
    [`"css" ${SELECTOR}: Expected name, found: current value is "td["`],
  ],
  [
    'a pseudo-class that nobody knows',
    [{ css: 'td:eq(1)' }],
    [`"css" ${SELECTOR}: Unknown pseudo-class :eq: current value is "td:eq(1)"`],
  ],
  [
    'a pseudo-element',
    [{ css: 'td::before' }],
    [
      `"css" ${SELECTOR}: Pseudo-elements are not supported by css-select: current value is "td::before"`,
    ],
  ],
  [
    'a formula that is none',
    [{ css: ':nth-child(x)' }],
    [`"css" ${SELECTOR}: n-th rule couldn't be parsed ('x'): current value is ":nth-child(x)"`],
  ],
  ['an empty selector', [{ css: ' ' }], [`"css" ${SELECTOR}: current value is " "`]],
  [
    'a selector that is no text',
    [{ css: 5 }],
    [
      '"css" must be a string; durations and sizes carry their unit, as in "5s" or "64KiB": current value is 5',
    ],
  ],
  ['an object without selector', [{}], ['"css" is missing']],
  [
    'an unknown key',
    [{ csss: 'p' }],
    ['"css" is missing', 'unknown key "csss": did you mean "css"?'],
  ],
  ['a number', 5, ['"ignore" has the wrong type: current value is 5']],
  ['a number in a list', [5], ['has the wrong type: current value is 5']],
];
for (const [rule, value, expected] of REFUSED) {
  test(`parts may not be ${rule}`, () => {
    const found = problemsIn(value).map((line) =>
      line.replace(/^c\.json: (?:ignore \d+ |ignore )?/, ''),
    );
    assert.deepEqual(found.sort(), [...expected].sort());
  });
}

test('all problems of a list are reported at once', () => {
  const found = problemsIn(['/good', 'bad', { css: '::x' }, { css: 'good' }, '/~', 7]);
  assert.equal(found.length, 4);
});

test('there may be so many parts, and they may be so long', () => {
  const many = Array.from({ length: 33 }, (_, index) => `/a${index}`);
  assert.deepEqual(problemsIn(many.slice(1)), []);
  assert.match(problemsIn(many).join(), /"ignore" must be at most 32 in number/);
  assert.match(problemsIn(`/${'a'.repeat(256)}`).join(), /must be at most 256 characters/);
  assert.match(problemsIn({ css: 'a'.repeat(257) }).join(), /must be at most 256 characters/);
});

test('every form has a description, which an editor shows', () => {
  const text = JSON.stringify(jsonSchema);
  assert.match(text, /"description":"What does not count\."/);
  assert.match(text, /"description":"A part of a JSON or XML answer/);
  assert.match(text, /"description":"Elements of an HTML answer/);
});
