import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../../src/probe/ask.ts';
import type { Made } from './replies.ts';
import { answered, failed, reported, told } from './replies.ts';

/** What is said of two answers. */
const changes = (before: unknown, after: unknown, settings: object = { vary: [] }) =>
  told(
    reported({ nobody: [answered(before), answered(after)] }, { vary: [], ...settings }).findings
      .change,
  );

test('nothing changed', () => {
  assert.deepEqual(changes({ a: 1 }, { a: 1 }), ['note unchanged: none within 2s']);
});

const IN_PARTS = 'note changes: it differs within 2s, in these parts; where they do not count:';
const CLOCKS: readonly [rule: string, before: unknown, after: unknown, config: string][] = [
  ['of JSON', { at: 1, b: 2 }, { at: 3, b: 2 }, '"ignore": ["/at"]'],
  [
    'of HTML',
    '<p id="now">1</p><p>x</p>',
    '<p id="now">2</p><p>x</p>',
    '"ignore": [{"css":"#now"}]',
  ],
];
for (const [rule, before, after, config] of CLOCKS) {
  test(`a part ${rule} that changes is named, as a line for the config`, () => {
    assert.deepEqual(changes(before, after), [IN_PARTS, config]);
  });
}

test('the line keeps what is ignored already, since a key stands once in the config', () => {
  const ignore = ['/old', { css: '#x' }];
  assert.deepEqual(changes({ at: 1, old: 1 }, { at: 2, old: 2 }, { ignore }), [
    IN_PARTS,
    '"ignore": ["/old", {"css":"#x"}, "/at"]',
  ]);
});

test('what changes in ignored parts only does not count', () => {
  assert.deepEqual(changes({ at: 1 }, { at: 2 }, { ignore: ['/at'] }), [
    'note changes-ignored: in nothing that counts within 2s',
  ]);
  assert.deepEqual(changes({ at: 1, b: 2 }, { at: 2, b: 2 }, { select: '/b' }), [
    'note changes-ignored: in nothing that counts within 2s',
  ]);
});

test('a change that no part can be named for is told as that', () => {
  assert.deepEqual(changes([1], { a: 2 }), [
    'note changes-unnamed: it differs within 2s, in no part that could be named',
  ]);
});

test('of what failed once no change is told', () => {
  assert.deepEqual(reported({ nobody: [answered({ a: 1 }), failed()] }).findings.change, []);
});

/** What is said of validators. */
function validators(first: Made, second: Made, conditional?: Reply, bodies: unknown[] = [{}, {}]) {
  const nobody = [answered(bodies[0], first), answered(bodies[1], second)];
  return told(reported({ nobody, conditional }).findings.validators);
}
const tag = (etag: string) => ({ headers: { etag } });
const DATES = {
  'last-modified': 'Sat, 01 Jan 2000 00:00:00 GMT',
  date: 'Sun, 02 Jan 2000 00:00:00 GMT',
};
const UNCHANGED = answered('', { status: 304 });

const VALIDATORS: readonly [
  rule: string,
  made: Made,
  reply: Reply | undefined,
  told: string | RegExp,
][] = [
  ['none', {}, undefined, 'note no-validators: none: each poll brings the whole body'],
  ['a tag that works', tag('"a"'), UNCHANGED, 'note not-modified: ETag, answered by 304'],
  [
    'a weak tag that works',
    tag('W/"a"'),
    UNCHANGED,
    'note not-modified: weak ETag, answered by 304',
  ],
  [
    'a date that works',
    { headers: DATES },
    UNCHANGED,
    'note not-modified: Last-Modified, answered by 304',
  ],
  [
    'a tag that is ignored',
    tag('"a"'),
    answered({}, tag('"a"')),
    'warning conditions-ignored: ETag, but a poll that names it gets the same body again, and no 304',
  ],
  [
    'a tag that is new each time',
    tag('"a"'),
    answered({}, tag('"b"')),
    /^warning conditions-ignored: .* no 304: it is another one each time$/,
  ],
  [
    'a tag of what changes each time',
    tag('"a"'),
    answered({ b: 1 }, tag('"b"')),
    /^note conditions-unclear: ETag; .* cannot be told$/,
  ],
  ['a tag, and then no answer', tag('"a"'), failed(), /^warning conditions-unclear/],
  [
    'a date that is too new',
    { headers: { ...DATES, date: DATES['last-modified'] } },
    undefined,
    /^note conditions-untried: Last-Modified, not used/,
  ],
];
for (const [rule, made, reply, expected] of VALIDATORS) {
  test(`validators: ${rule}`, () => {
    const [text = '', ...rest] = validators(made, made, reply);
    if (typeof expected === 'string') assert.equal(text, expected);
    else assert.match(text, expected);
    assert.deepEqual(rest, []);
  });
}

test('a tag that is the same for two bodies hides changes', () => {
  const [text = ''] = validators(tag('"a"'), tag('"a"'), UNCHANGED, [{ a: 1 }, { a: 2 }]);
  assert.match(text, /^warning validator-unchanged: .* miss changes$/);
});
