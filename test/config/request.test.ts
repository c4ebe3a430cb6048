import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { alsoWhenValuesFailed } from '../../src/config/checks.ts';
import { OWN_HEADERS } from '../../src/config/header-name.ts';
import { formatProblem, problemsOf } from '../../src/config/problems.ts';
import { handshake, ignoreBody, match, method, request, rpc } from '../../src/config/request.ts';
import { checkRequestKeys } from '../../src/config/request-conflicts.ts';
import { parseVary } from '../../src/config/vary.ts';

/** The keys of an endpoint that say which requests it means, and some that they must agree with. */
const endpoint = z
  .strictObject({
    method,
    match,
    ignoreBody,
    rpc,
    request,
    handshake,
    headers: z.record(z.string(), z.string()).default({}),
    vary: z
      .array(z.string())
      .default([])
      .transform((entries) => entries.map((entry) => parseVary(entry, OWN_HEADERS))),
  })
  .check(alsoWhenValuesFailed(z.superRefine(checkRequestKeys)));

function read(keys: object) {
  return endpoint.parse(keys);
}

/** What is reported about these keys, one line each; '' when they are accepted. */
function problems(keys: object): string {
  const result = endpoint.safeParse(keys);
  if (result.success) return '';
  const source = { file: 'flags', text: '', root: undefined };
  const schema = z.toJSONSchema(endpoint, { io: 'input' }) as object;
  return problemsOf(result.error.issues, source, keys, schema).map(formatProblem).join('\n');
}

const POST = { method: 'POST' };

test('without these keys an endpoint is every GET of its path, as it comes', () => {
  const { headers, vary, ...keys } = read({});
  assert.deepEqual(keys, {
    method: 'GET',
    match: { query: [], body: [] },
    ignoreBody: [],
    request: { query: [], body: [] },
  });
});

const WANTED: readonly [value: unknown, wanted: object][] = [
  ['status', { values: ['status'], mayLack: false }],
  [1, { values: [1], mayLack: false }],
  [false, { values: [false], mayLack: false }],
  ['*', { values: 'any', mayLack: false }],
  [null, { values: [], mayLack: true }],
  [['a', 2, true], { values: ['a', 2, true], mayLack: false }],
  [['a', null], { values: ['a'], mayLack: true }],
  ['', { values: [''], mayLack: false }],
];
for (const [value, wanted] of WANTED) {
  test(`${JSON.stringify(value)} in "match" is read as ${JSON.stringify(wanted)}`, () => {
    assert.deepEqual(read({ match: { query: { x: value } } }).match.query, [{ name: 'x', wanted }]);
    const body = read({ ...POST, match: { body: { '/x': value } } }).match.body;
    assert.deepEqual(body, [{ field: { kind: 'json', path: ['x'] }, wanted }]);
  });
}

test('a name that starts with "/" is a JSON Pointer, another one a field of a form', () => {
  const fields = (names: string[]) => read({ ...POST, ignoreBody: names }).ignoreBody;
  assert.deepEqual(fields(['/a/b~1c/~01/0/']), [
    { kind: 'json', path: ['a', 'b/c', '~1', '0', ''] },
  ]);
  assert.deepEqual(fields(['a/b', 'tok*']), [
    { kind: 'form', name: 'a/b' },
    { kind: 'form', name: 'tok*' },
  ]);
  assert.deepEqual(fields(['/*/t?']), [{ kind: 'json', path: ['*', 't?'] }]);
});

test('what a poll sends is read as the text that is sent', () => {
  const json = { '/a': 'x', '/b': [1, { c: null }], '/d': null, '/e': 1.5 };
  const query = { rid: '0', n: 5, on: true, x: null };
  const { request: changes } = read({ ...POST, request: { query, body: json } });
  assert.deepEqual(changes.query, [
    { name: 'rid', value: '0' },
    { name: 'n', value: '5' },
    { name: 'on', value: 'true' },
    { name: 'x', value: null },
  ]);
  assert.deepEqual(
    changes.body.map(({ value }) => value),
    ['"x"', '[1,{"c":null}]', null, '1.5'],
  );
  const form = read({ ...POST, request: { body: { a: 'x', n: 5, gone: null } } }).request.body;
  assert.deepEqual(
    form.map(({ value }) => value),
    ['x', '5', null],
  );
});

test('the header of a handshake is read in lower case', () => {
  const keys = { handshake: { status: 409, header: 'X-Transmission-Session-Id' } };
  assert.deepEqual(read(keys).handshake, { status: 409, header: 'x-transmission-session-id' });
});

test('a handshake and a changed query go with GET as well', () => {
  const keys = {
    handshake: { status: 403, header: 'x-token' },
    request: { query: { rid: '0' } },
    match: { query: { view: 'status' } },
  };
  assert.equal(problems(keys), '');
});

const REFUSED: readonly [rule: string, keys: object, problem: RegExp][] = [
  ['a method that no poll has', { method: 'PUT' }, /must be one of "GET", "POST"/],
  ['a method in small letters', { method: 'post' }, /did you mean "POST"\?/],
  ['an unknown kind of rpc', { ...POST, rpc: 'jsonrpc' }, /did you mean "json-rpc"\?/],
  ['a key of match that is none', { match: { header: {} } }, /unknown key "header"/],
  ['an object as a value', { match: { query: { x: { a: 1 } } } }, /"x" has the wrong type/],
  ['an empty list of values', { match: { query: { x: [] } } }, /"x" must be at least 1 in number/],
  ['"*" among others', { match: { query: { x: ['*', 'a'] } } }, /"x" has "\*" in a list/],
  [
    'a parameter without a name',
    { match: { query: { '': 'a' } } },
    /the name of a query parameter/,
  ],
  ['a glob as a name', { match: { query: { 'm?': 'a' } } }, /must name one parameter/],
  ['a glob to set', { request: { query: { 'm*': 'a' } } }, /must name one parameter/],
  [
    'an integer beyond doubles',
    { match: { query: { x: 2 ** 53 } } },
    /must be at most 9007199254740991/,
  ],
  ['a bad pointer', { ...POST, match: { body: { '/a~': 'x' } } }, /"~" is written "~0"/],
  [
    'a field without a name',
    { ...POST, match: { body: { '': 'x' } } },
    /must be a JSON Pointer such as/,
  ],
  ['a pointer to many', { ...POST, match: { body: { '/a/*': 'x' } } }, /must name one place/],
  ['setting many', { ...POST, request: { body: { '/a/*': 'x' } } }, /must name one place/],
  ['a pointer without end', { ...POST, ignoreBody: ['/a'.repeat(33)] }, /at most 32 names/],
  ['half a character', { ...POST, ignoreBody: ['/\ud800'] }, /half of a character/],
  ['half a character in a query', { request: { query: { a: '\ud800' } } }, /half of a character/],
  [
    'half a character in a body',
    { ...POST, request: { body: { '/a': '\ud800' } } },
    /half of a character/,
  ],
  ['an empty name to ignore', { ...POST, ignoreBody: [''] }, /must be a JSON Pointer such as/],
  [
    'a form field with a list',
    { ...POST, request: { body: { a: [1] } } },
    /"a" is a form field, which holds a text/,
  ],
  [
    'a good status for a handshake',
    { handshake: { status: 200, header: 'x-a' } },
    /must be at least 400/,
  ],
  ['a 500 for a handshake', { handshake: { status: 500, header: 'x-a' } }, /must be at most 499/],
  ['a handshake without header', { handshake: { status: 409 } }, /"header" is missing/],
  ['no header name', { handshake: { status: 409, header: 'a b' } }, /is not a header name/],
  ['a header of ours', { handshake: { status: 409, header: 'Host' } }, /set by the proxy itself/],
  [
    'a credential',
    { handshake: { status: 409, header: 'Cookie' } },
    /cannot be the header of a handshake/,
  ],
  ['content', { handshake: { status: 409, header: 'Content-Type' } }, /cannot be the header/],
];
for (const [rule, keys, problem] of REFUSED) {
  test(`${rule} is refused, saying why`, () => {
    assert.match(problems(keys), problem);
  });
}

const HANDSHAKE = { status: 409, header: 'X-Token' };
const CONFLICTS: readonly [rule: string, keys: object, problem: RegExp][] = [
  ['a GET has no body to match', { match: { body: { a: 1 } } }, /"body" needs "method": "POST"/],
  ['a GET has no body to ignore', { ignoreBody: ['a'] }, /"ignoreBody" needs "method": "POST"/],
  ['a GET has no body to change', { request: { body: { a: 1 } } }, /"body" needs "method": "POST"/],
  ['a GET is no call', { rpc: 'json-rpc' }, /"rpc" needs "method": "POST"/],
  [
    'no body is a form and JSON',
    { ...POST, match: { body: { a: 1, '/b': 2 } } },
    /"\/b" is a JSON Pointer, where/,
  ],
  [
    'nor is it by two keys',
    { ...POST, match: { body: { '/a': 1 } }, ignoreBody: ['b'] },
    /"b" is a field of a form/,
  ],
  [
    'a call has no form fields',
    { ...POST, rpc: 'json-rpc', match: { body: { method: 'x' } } },
    /"method" is a field of a form/,
  ],
  [
    'a value is not set inside another',
    { ...POST, request: { body: { '/a': {}, '/a/b~1': 1 } } },
    /has "\/a\/b~1" inside "\/a"/,
  ],
  [
    'the id of a call is not ignored',
    { ...POST, rpc: 'json-rpc', ignoreBody: ['/id'] },
    /must not name "\/id"/,
  ],
  [
    'the id of a call is not set',
    { ...POST, rpc: 'json-rpc', request: { body: { '/id': 1 } } },
    /must not name "\/id"/,
  ],
  [
    'a token is not constant',
    { handshake: HANDSHAKE, headers: { 'x-TOKEN': 'a' } },
    /"headers" sets it too/,
  ],
  [
    "a token is not the client's",
    { handshake: HANDSHAKE, vary: ['x-token'] },
    /"vary" sends the client's/,
  ],
  [
    'nor is it by a pattern',
    { handshake: HANDSHAKE, vary: ['x-tok*'] },
    /"vary" sends the client's/,
  ],
];
for (const [rule, keys, problem] of CONFLICTS) {
  test(`${rule}: refused, saying why`, () => {
    assert.match(problems(keys), problem);
  });
}

test('everything that is wrong is told at once', () => {
  const keys = {
    method: 'GET',
    match: { query: { '': 'a', x: { y: 1 } }, body: { '/a~': 1, '/b': [] } },
    ignoreBody: ['/~', 'ok'],
    rpc: 'json-rpc',
    request: { query: { 'a*': [], b: {} }, body: { c: [1] } },
    handshake: { status: 200, header: 'host' },
  };
  const lines = problems(keys).split('\n');
  const wanted = [
    /name of a query parameter/,
    /"x" has the wrong type/,
    /"\/a~" must be a JSON Pointer/,
    /"\/b" must be at least 1/,
    /ignoreBody must be a JSON Pointer/,
    /"rpc" needs "method": "POST"/,
    /"a\*" must name one parameter/,
    /"b" has the wrong type/,
    /"c" is a form field/,
    /"status" must be at least 400/,
    /"header" "host" is set by the proxy itself/,
  ];
  for (const line of wanted)
    assert.ok(
      lines.some((each) => line.test(each)),
      `${line}: ${lines.join('\n')}`,
    );
});

test('a check of what fits together throws on no value at all', () => {
  const values = [undefined, null, 1, 'x', [], [1], [null], {}, { body: 1 }, { body: [1, null] }];
  for (const name of [
    'method',
    'match',
    'ignoreBody',
    'rpc',
    'request',
    'handshake',
    'vary',
    'headers',
  ]) {
    for (const value of values) {
      problems({ [name]: value });
      problems({ ...POST, [name]: value });
    }
  }
});

test('every key has a description, which an editor shows', () => {
  const { properties } = z.toJSONSchema(endpoint, { io: 'input' });
  for (const key of ['method', 'match', 'ignoreBody', 'rpc', 'request', 'handshake']) {
    assert.match(JSON.stringify(properties?.[key]), /"description":"./, key);
  }
});

const CONTRADICTIONS: readonly [rule: string, keys: object, problem: RegExp][] = [
  [
    'a cookie for everybody',
    { headers: { Cookie: 'sid=1' }, vary: ['cookie'] },
    /"Cookie" is a credential/,
  ],
  [
    'a field that is ignored',
    { ...POST, match: { body: { '/m': 'x' } }, ignoreBody: ['/m'] },
    /takes away/,
  ],
];
for (const [rule, keys, problem] of CONTRADICTIONS) {
  test(`refused, since it contradicts itself: ${rule}`, () =>
    assert.match(problems(keys), problem));
}
