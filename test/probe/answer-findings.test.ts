import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reply } from '../../src/probe/ask.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { answered, failed, reported, told } from './replies.ts';

const PRIVATE = { vary: ['cookie:SESSION'] };
const SESSION = ['Cookie', 'SESSION=1'];
const PUBLIC = { vary: [] };
const LOGIN = { status: 302, headers: { location: 'http://u:p@sso.example/login?next=t0ken#x' } };

const twice = (reply: Reply) => [reply, reply];
const answerTo = (...args: Parameters<typeof reported>) => told(reported(...args).findings.answer);

test('of an answer that is as it should be nothing is said', () => {
  assert.deepEqual(answerTo({ nobody: twice(answered({ a: 1 })) }), []);
});

const REFUSED_TO_NOBODY: readonly [rule: string, settings: object, reply: Reply, told: RegExp][] = [
  [
    'a public endpoint cannot be polled',
    PUBLIC,
    answered('', { status: 401 }),
    /^problem refused: it answers 401; public polls carry no credential$/,
  ],
  [
    'a public endpoint redirects',
    PUBLIC,
    answered('', LOGIN),
    /^problem status: it redirects \(302\) to http:\/\/sso\.example\/login, and polls follow/,
  ],
  [
    'a public endpoint is not there',
    PUBLIC,
    answered('', { status: 404 }),
    /^problem gone: it answers 404$/,
  ],
  [
    'a private one refuses, as it may',
    PRIVATE,
    answered('', { status: 403 }),
    /^note refused: nobody's poll: it answers 403; with -H/,
  ],
  [
    'a private one redirects, as it may',
    PRIVATE,
    answered('', LOGIN),
    /^note refused: nobody's poll: it redirects/,
  ],
  [
    'a private one is not there for nobody',
    PRIVATE,
    answered('', { status: 404 }),
    /^warning gone: nobody's poll: it answers 404/,
  ],
  [
    'a private one fails',
    PRIVATE,
    answered('', { status: 500 }),
    /^problem status: nobody's poll: it answers 500/,
  ],
  [
    'it asks for patience',
    PUBLIC,
    answered('', { status: 429, headers: { 'retry-after': '30' } }),
    /^problem status: it answers 429, and asks to wait 30 s$/,
  ],
  [
    'it says unchanged without being asked',
    PUBLIC,
    answered('', { status: 304 }),
    /^problem status: it answers 304$/,
  ],
  ['there is no answer', PRIVATE, failed(), /^problem no-answer: no whole answer$/],
  [
    'the answer is too large',
    PUBLIC,
    failed(new ProxyError('UPSTREAM_TOO_LARGE', 'larger than 4 bytes')),
    /^problem no-answer: larger than 4 bytes \("maxBody"\)$/,
  ],
];
for (const [rule, settings, reply, expected] of REFUSED_TO_NOBODY) {
  test(`nobody's poll: ${rule}`, () => {
    const [text = '', ...rest] = answerTo({ nobody: twice(reply) }, { ...settings });
    assert.match(text, expected);
    assert.deepEqual(rest, []);
  });
}

test('what lets a request in is what a public endpoint lacks in "vary"', () => {
  const observed = { nobody: twice(answered('', { status: 401 })), request: [answered({ a: 1 })] };
  assert.deepEqual(answerTo(observed, PUBLIC, SESSION), [
    'problem refused: it answers 401; public polls carry no credential, and a request with the given headers is answered',
    '"vary": ["cookie:SESSION"]',
  ]);
});

test('the poll of a client that is refused too is a problem', () => {
  const refused = twice(answered('', { status: 401 }));
  assert.deepEqual(answerTo({ nobody: refused, client: refused }, PRIVATE, SESSION), [
    'problem refused: it answers 401, also to who has the given headers',
  ]);
});

test('where clients get a state, what nobody gets is no problem', () => {
  const observed = {
    nobody: twice(answered('', { status: 500 })),
    client: twice(answered({ a: 1 })),
  };
  assert.deepEqual(answerTo(observed, PRIVATE, SESSION), []);
});

const FORM = '<form><input name=user><INPUT name=p\n type="password"></form>';
test('a page with a field for a password is a login page, as it seems', () => {
  assert.deepEqual(answerTo({ nobody: twice(answered(FORM)) }), [
    'warning login-page: it has a field for a password: a login page, as it seems',
  ]);
  assert.match(answerTo({ nobody: twice(answered(FORM)) }, PRIVATE)[0] ?? '', /^note login-page/);
  assert.deepEqual(answerTo({ nobody: twice(answered('<p>password</p>')) }), []);
});

test('HTML where the given headers get JSON is a login page, as it seems', () => {
  const observed = { nobody: twice(answered('<p>hello</p>')), request: [answered({ a: 1 })] };
  assert.match(
    answerTo(observed, PUBLIC, SESSION)[0] ?? '',
    /^warning login-page: it is HTML, where/,
  );
});

test('a second poll that is answered otherwise is a warning', () => {
  const first = answered({ a: 1 });
  assert.deepEqual(answerTo({ nobody: [first, answered('', { status: 503 })] }), [
    'warning status: the second poll: it answers 503',
  ]);
  assert.deepEqual(answerTo({ nobody: [first, failed()] }), [
    'warning status: the second poll failed: no whole answer',
  ]);
});

test('an answer that takes longer than the interval is told', () => {
  const [text = ''] = answerTo({ nobody: twice(answered({ a: 1 }, { tookMs: 2_001 })) });
  assert.match(text, /^note slow: it takes longer than the interval of 2s/);
});
