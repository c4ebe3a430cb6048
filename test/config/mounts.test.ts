import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse, problemsIn } from './parse-error.ts';

/** A config with these mounts, on one line: what stands in them starts at column 31. */
const withMounts = (mounts: string) => `{"site": "http://h","comet": {${mounts}}}`;

/** The first problem of a config with these mounts, without its place. */
function problemOf(mounts: string): string {
  const [problem = '', ...more] = problemsIn(withMounts(mounts));
  assert.deepEqual(more, []);
  return problem.replace(/^c\.json:\d+:\d+ /, '');
}

function mountsOf(mounts: string) {
  return parse(withMounts(mounts)).comet;
}

test('a mount is the URL of its origin, or an object with it', () => {
  const [short, long] = [
    mountsOf('"/chat": "https://push.example/bayeux/"'),
    mountsOf('"/chat": {"origin": "https://push.example/bayeux/"}'),
  ];
  assert.deepEqual(short, long);
  const { origins, ...rest } = short['/chat'] ?? assert.fail();
  assert.deepEqual(origins.map(String), ['https://push.example/bayeux/']);
  assert.deepEqual(
    [rest.sticky, rest.preserveHost, rest.rewriteUrls, rest.cookies, rest.responseTimeout],
    ['cookie', false, false, [], 0],
  );
});

test('a mount may have several origins', () => {
  const mounts = mountsOf(
    '"/chat": {"origins": ["http://a:1", "http://b:2/x"], "sticky": "address"}',
  );
  assert.deepEqual(mounts['/chat']?.origins.map(String), ['http://a:1/', 'http://b:2/x']);
});

const PATHS = ['/chat', '/chat/', '/chat/inner', '/a-b_c.d~e', '/x!+=:@', '/_cometx', '/x/_comet'];
for (const path of PATHS) {
  test(`this is the path of a mount: ${path}`, () => {
    assert.deepEqual(problemsIn(withMounts(`"${path}": "http://a"`)), []);
  });
}

const BAD_PATHS: Record<string, string> = {
  '': '"" must start with "/": try "/"',
  chat: '"chat" must start with "/": try "/chat"',
  '/': '"/" must be a path below "/", which is the site',
  '/_comet': '"/_comet" "/_comet/" is the proxy\'s own, choose another path',
  '/_comet/x': '"/_comet/x" "/_comet/" is the proxy\'s own, choose another path',
  '/a/../b': '"/a/../b" must not have "." or ".." in it',
  '/a/.': '"/a/." must not have "." or ".." in it',
};
for (const [path, problem] of Object.entries(BAD_PATHS)) {
  test(`this is no path of a mount: ${path || 'nothing'}`, () => {
    assert.equal(problemOf(`"${path}": "http://a"`), problem);
  });
}

const NOT_PLAIN = [
  '/a?b',
  '/a#b',
  '/a%2fb',
  '/a*',
  '/**',
  '/a;b',
  '/a//b',
  '//a',
  '/a//',
  '/caf\u00e9',
  '/a b',
];
// Browsers write these in another way, so the mount would never be found.
const ENCODED_BY_BROWSERS = ['/a<b', '/a>b', '/a\\"b', '/a`b', '/a{b', '/a}b', '/a^b'];
for (const path of [...NOT_PLAIN, ...ENCODED_BY_BROWSERS]) {
  test(`the path of a mount is a plain one: ${path}`, () => {
    assert.match(problemOf(`"${path}": "http://a"`), /must be a plain path: /);
  });
}

test('the same path with and without its last slash is one mount, reported where it stands again', () => {
  assert.deepEqual(problemsIn(withMounts('"/chat": "http://a", "/chat/": "http://b"')), [
    'c.json:1:52 "/chat/" matches the same paths as "/chat"',
  ]);
});

const LIVE = (live: string, mounts = '"/chat": "http://a", "/x/y/": "http://b"') =>
  `{"site": "http://h","comet": {${mounts}},"live": {"${live}": "2s"}}`;
for (const path of ['/chat', '/chat/', '/chat/x', '/chat/**', '/chat/:id', '/x/y', '/x/y/z']) {
  test(`a live path under a mount would never be polled for whom it is meant: ${path}`, () => {
    const mount = path.startsWith('/chat') ? '/chat' : '/x/y/';
    const problem = `"${path}" lies under the mount "${mount}": polls go to the site, requests of this path to the Comet origin`;
    assert.deepEqual(
      problemsIn(LIVE(path)).map((line) => line.replace(/^c\.json:1:\d+ /, '')),
      [problem],
    );
  });
}
for (const path of ['/chatter', '/x/:id', '/**', '/:any/x', '/x']) {
  test(`a live path beside a mount is fine: ${path}`, () => {
    assert.deepEqual(problemsIn(LIVE(path)), []);
  });
}

const EXAMPLE = 'must be an http or https URL such as "https://push.example.net/bayeux/"';
const BAD_ORIGINS: Record<string, string> = {
  'push.example': EXAMPLE,
  'push.example:8000': EXAMPLE,
  '/x': EXAMPLE,
  '': EXAMPLE,
  'ftp://push.example/': EXAMPLE,
  'ws://push.example/x':
    'must be an http or https URL, also for WebSocket: try "http://push.example/x"',
  'wss://push.example/':
    'must be an http or https URL, also for WebSocket: try "https://push.example/"',
  'http://user@push.example/': 'must not hold a user name or password',
  'http://user:pw@push.example/': 'must not hold a user name or password',
  'http://push.example/x?y': 'must end with its path: no "?" and no "#"',
  'http://push.example/?': 'must end with its path: no "?" and no "#"',
  'http://push.example/#': 'must end with its path: no "?" and no "#"',
};
for (const [url, problem] of Object.entries(BAD_ORIGINS)) {
  test(`this is no Comet origin, in whichever way it is said: ${url || 'nothing'}`, () => {
    const value = `current value is "${url}"`;
    assert.equal(problemOf(`"/c": "${url}"`), `"/c" ${problem}: ${value}`);
    assert.equal(problemOf(`"/c": {"origin": "${url}"}`), `"origin" ${problem}: ${value}`);
    assert.equal(problemOf(`"/c": {"origins": ["http://a", "${url}"]}`), `${problem}: ${value}`);
  });
}

const NEEDS = /^"\/c" needs one of "origin" and "origins"/;
const BAD_MOUNTS: Record<string, RegExp> = {
  '{}': NEEDS,
  '{"sticky": "cookie"}': NEEDS,
  '{"origin": "http://a", "origins": ["http://b"]}': NEEDS,
  '{"origins": []}': /^"origins" must be at least 1 in number/,
  '{"origins": "http://a"}': /^"origins" must be an array/,
  '{"origin": "http://a", "sticky": "adress"}': /did you mean "address"\?/,
  '{"origin": "http://a", "cookies": ["a b"]}':
    /must be the name of a cookie: current value is "a b"/,
  '{"origin": "http://a", "cookies": ["a="]}':
    /must be the name of a cookie: current value is "a="/,
  '{"origin": "http://a", "cookies": [""]}': /must be the name of a cookie: current value is ""/,
  '{"origin": "http://a", "rewriteUrl": true}':
    /unknown key "rewriteUrl": did you mean "rewriteUrls"\?/,
  '{"origin": "http://a", "rewriteUrls": "yes"}': /"rewriteUrls" must be/,
  '{"origin": "http://a", "responseTimeout": 5}': /"responseTimeout" must be a string; durations/,
  '{"url": "http://a"}': /unknown key "url"/,
  null: /"\/c" has the wrong type/,
  '5': /"\/c" has the wrong type/,
};
for (const [value, problem] of Object.entries(BAD_MOUNTS)) {
  test(`what is wrong with a mount is said: ${value}`, () => {
    const problems = problemsIn(withMounts(`"/c": ${value}`)).map((line) =>
      line.replace(/^c\.json:\d+:\d+ /, ''),
    );
    const isSaid = problems.some((line) => problem.test(line));
    assert.ok(isSaid, problems.join('\n'));
  });
}
