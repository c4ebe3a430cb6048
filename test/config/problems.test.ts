import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsIn } from './parse-error.ts';

/** A config on one line, with what is wrong behind the good part: it starts at column 21. */
const withKeys = (keys: string) => `{"site": "http://h",${keys}}`;

test('all problems are reported at once, each at its line and column', () => {
  const text = `{
  "sitee": "http://h", // and a comment
  "listen": "nowhere",
\t"live": {
    "a": "2s",
    "/b": { "every": "2s", "polls": "absorbed", "vry": [] },
    "/c": { "every": 2, "history": -1, "vary": ["cookie", "host"] }
  },
  "log": { "level": "loud", },
}
`;
  assert.deepEqual(problemsIn(text), [
    'c.json:1:1 "site" is missing',
    'c.json:2:3 unknown key "sitee": did you mean "site"?',
    'c.json:3:13 "listen" must be an address such as "127.0.0.1:8080", ":8080" or "unix:/run/x.sock": current value is "nowhere"',
    'c.json:5:5 "a" must start with "/": try "/a"',
    'c.json:6:37 "polls" must be one of "pass", "absorb", "hold": did you mean "absorb"?: current value is "absorbed"',
    'c.json:6:49 unknown key "vry": did you mean "vary"?',
    'c.json:7:22 "every" must be a string; durations and sizes carry their unit, as in "5s" or "64KiB": current value is 2',
    'c.json:7:36 "history" must be at least 0: current value is -1',
    'c.json:7:59 the Host is always part of the key, leave it out: current value is "host"',
    'c.json:9:21 "level" must be one of "debug", "info", "warn", "error", "silent": current value is "loud"',
  ]);
});

test('lines that end in CRLF are counted once', () => {
  assert.deepEqual(problemsIn('{\r\n"site": "http://h",\r\n"lmits": {}}'), [
    'c.json:3:1 unknown key "lmits": did you mean "limits"?',
  ]);
});

const MEANT: readonly [keys: string, problem: string][] = [
  ['"lisen": ""', '1:21 unknown key "lisen": did you mean "listen"?'],
  ['"Origins": []', '1:21 unknown key "Origins": did you mean "origins"?'],
  ['"log": {"lvel": ""}', '1:29 unknown key "lvel": did you mean "level"?'],
  ['"limits": {"stream": 1}', '1:32 unknown key "stream": did you mean "streams"?'],
  [
    '"live": {"/a": {"every": "1s", "max_body": "1B"}}',
    '1:52 unknown key "max_body": did you mean "maxBody"?',
  ],
];
for (const [keys, problem] of MEANT) {
  test(`an unknown key is reported with the key that was meant: ${keys}`, () => {
    assert.deepEqual(problemsIn(withKeys(keys)), [`c.json:${problem}`]);
  });
}

test('an unknown key in a site is reported with the key that was meant', () => {
  assert.deepEqual(problemsIn('{"site": {"url": "http://h", "preservHost": true}}'), [
    'c.json:1:30 unknown key "preservHost": did you mean "preserveHost"?',
  ]);
});

test('an unknown key that resembles none is reported with those that are known there', () => {
  assert.deepEqual(problemsIn(withKeys('"backends": []')), [
    'c.json:1:21 unknown key "backends": known here are listen, site, comet, live, inject, logoutOn, origins, trustedProxies, via, webSocketCompression, workers, admin, limits, log',
  ]);
  assert.deepEqual(problemsIn(withKeys('"log": {"colour": true}')), [
    'c.json:1:29 unknown key "colour": known here are level, format, access',
  ]);
});

const NO_UNIT = 'must be a string; durations and sizes carry their unit, as in "5s" or "64KiB"';
const VALUES: readonly [rule: string, keys: string, problem: string][] = [
  ['null is no object', '"log": null', '1:28 "log" must be an object: current value is null'],
  ['a list is no object', '"limits": []', '1:31 "limits" must be an object: current value is []'],
  ['a text is no list', '"origins": "x"', '1:32 "origins" must be an array: current value is "x"'],
  [
    'a text is no number',
    '"limits": {"streams": "9"}',
    '1:43 "streams" must be a number: current value is "9"',
  ],
  [
    'a fraction is no count',
    '"limits": {"streams": 1.5}',
    '1:43 "streams" must be a whole number: current value is 1.5',
  ],
  [
    'zero is no count',
    '"limits": {"streams": 0}',
    '1:43 "streams" must be at least 1: current value is 0',
  ],
  [
    'a duration has a unit',
    '"limits": {"drain": 30}',
    `1:41 "drain" ${NO_UNIT}: current value is 30`,
  ],
  [
    'a request is named by its path',
    '"logoutOn": ["POST logout"]',
    '1:34 must start with "/": try "/logout": current value is "POST logout"',
  ],
  [
    'a size has a unit',
    '"limits": {"urlBytes": 8}',
    `1:44 "urlBytes" ${NO_UNIT}: current value is 8`,
  ],
  [
    'an interval has a unit',
    '"live": {"/a": {"every": 2}}',
    `1:46 "every" ${NO_UNIT}: current value is 2`,
  ],
  ['an endpoint has an interval', '"live": {"/a": {"polls": "pass"}}', '1:36 "every" is missing'],
  [
    'an endpoint is an interval or an object',
    '"live": {"/a": 2}',
    '1:36 "/a" has the wrong type: current value is 2',
  ],
  [
    'a value may be one of a few words',
    '"log": {"access": true}',
    '1:39 "access" must be one of false, "combined", "json": current value is true',
  ],
  [
    'a list is told which of its entries is wrong',
    '"live": {"/a": {"every": "1s", "transports": ["sse", "see"]}}',
    '1:74 must be one of "sse", "ws", "stream", "multipart", "poll", "jsonp", "iframe": did you mean "sse"?: current value is "see"',
  ],
];
for (const [rule, keys, problem] of VALUES) {
  test(rule, () => assert.deepEqual(problemsIn(withKeys(keys)), [`c.json:${problem}`]));
}

test('a key that stands twice is reported where it stands the second time', () => {
  assert.deepEqual(problemsIn(withKeys('"live": {"/a": "1s",\n "/a": "2s"}, "site": "http://g"')), [
    'c.json:2:2 "/a" stands here twice',
    'c.json:2:15 "site" stands here twice',
  ]);
});

test('one key in two objects is no twin', () => {
  assert.deepEqual(
    problemsIn(withKeys('"live": {"/a": {"every": "1s"}, "/b": {"every": "1s"}}')),
    [],
  );
});

test('two patterns for the same paths are reported where the second one stands', () => {
  assert.deepEqual(problemsIn(withKeys('"live": {"/a/:id": "1s", "/a/*": "2s", "/a/**": "3s"}')), [
    'c.json:1:46 "/a/*" matches the same paths as "/a/:id"',
  ]);
});

test('two patterns for the same paths are reported beside other problems', () => {
  const problems = problemsIn(withKeys('"live": {"/a/:id": "1x", "/a/*": "2s"}'));
  assert.equal(problems.length, 2, problems.join('\n'));
});

test('a bad pattern does not hide what is wrong with its value', () => {
  const problems = problemsIn(withKeys('"live": {"a": {"every": "2s", "pols": "pass"}}'));
  assert.equal(problems.length, 2, problems.join('\n'));
});

test('a problem in a shorthand names the key that stands in the file, and its value', () => {
  assert.match(
    problemsIn('{"site": "legacy"}').join('\n'),
    /^c\.json:1:10 "site" must be .*: current value is "legacy"$/,
  );
  assert.match(
    problemsIn(withKeys('"live": {"/a": "soon"}')).join('\n'),
    /^c\.json:1:36 "\/a" must be .*: current value is "soon"$/,
  );
});

test('a key named "__proto__" is reported as any other that does not belong there', () => {
  assert.equal(problemsIn(withKeys('"__proto__": {}')).length, 1);
  assert.equal(problemsIn(withKeys('"live": {"__proto__": "2s"}')).length, 1);
});
