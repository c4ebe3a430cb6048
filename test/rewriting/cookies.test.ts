import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CookieSpace } from '../../src/passthrough/cookies.ts';
import {
  cookieMark,
  cookiesForUpstream,
  setCookieForClient,
} from '../../src/passthrough/cookies.ts';

const SPACE: CookieSpace = { prefix: '/chat', path: '/bayeux', shared: new Set() };

/** As a browser gets it over https, from an answer to `/bayeux/a/b`. */
function set(
  header: string,
  context: Partial<CookieSpace> & { requestPath?: string } = {},
): string {
  return setCookieForClient(header, {
    ...SPACE,
    isEncrypted: true,
    requestPath: '/bayeux/a/b',
    ...context,
  });
}

const LAX = 'Secure; SameSite=Lax';
const SET: Record<string, string> = {
  // Where it holds.
  'a=1; Path=/': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; path = /bayeux': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/bayeux/x': `chat~a=1; Path=/chat/x; ${LAX}`,
  'a=1; Path=/bayeux/': `chat~a=1; Path=/chat/; ${LAX}`,
  'a=1; Path=/bayeux/x/': `chat~a=1; Path=/chat/x/; ${LAX}`,
  'a=1': `chat~a=1; Path=/chat/a; ${LAX}`,
  'a=1; Path': `chat~a=1; Path=/chat/a; ${LAX}`,
  'a=1; Path=': `chat~a=1; Path=/chat/a; ${LAX}`,
  'a=1; Path=x': `chat~a=1; Path=/chat/a; ${LAX}`,
  'a=1; Path="/bayeux"': `chat~a=1; Path=/chat/a; ${LAX}`,
  'a=1; Path=/; Path=/bayeux/z': `chat~a=1; Path=/chat/z; ${LAX}`,
  'a=1; Path=/other': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/bayeuxx': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/chat': `chat~a=1; Path=/chat; ${LAX}`,
  // For whom.
  'a=1; Path=/; Domain=push.example': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/; DOMAIN=.example; domain=evil': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/; Secure': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/; SameSite=None; Secure; Partitioned': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/; SameSite=Lax': `chat~a=1; Path=/chat; ${LAX}`,
  'a=1; Path=/; samesite = STRICT': 'chat~a=1; Path=/chat; Secure; SameSite=Strict',
  'a=1; Path=/; SameSite=nonsense': `chat~a=1; Path=/chat; ${LAX}`,
  // What stays.
  'a=1; HttpOnly; Path=/; Max-Age=60; Priority=High': `chat~a=1; HttpOnly; Max-Age=60; Priority=High; Path=/chat; ${LAX}`,
  'a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/': `chat~a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/chat; ${LAX}`,
  'a=b=c==; Path=/': `chat~a=b=c==; Path=/chat; ${LAX}`,
  'a="b c,d"; Path=/;;  ; x': `chat~a="b c,d"; x; Path=/chat; ${LAX}`,
  'caf\xe9=\xff; Path=/': `chat~caf\xe9=\xff; Path=/chat; ${LAX}`,
  // An "à" in UTF-8 ends with a byte that is white space in Latin-1.
  'a=\xc3\xa0 ; Path=/': `chat~a=\xc3\xa0; Path=/chat; ${LAX}`,
  // Names that say more than themselves lose nothing, for they come back as they were.
  '__Host-a=1; Secure; Path=/': `chat~__Host-a=1; Path=/chat; ${LAX}`,
  '__Secure-a=1; Secure; Path=/bayeux': `chat~__Secure-a=1; Path=/chat; ${LAX}`,
  'chat~a=1; Path=/': `chat~chat~a=1; Path=/chat; ${LAX}`,
  // Without a name.
  'text; Path=/': `chat~=text; Path=/chat; ${LAX}`,
  '=a=b; Path=/': `chat~=a=b; Path=/chat; ${LAX}`,
};
for (const [header, expected] of Object.entries(SET)) {
  test(`Set-Cookie over https: ${header}`, () => assert.equal(set(header), expected));
}

test('over http no cookie is secure, for it would be lost', () => {
  const context = { ...SPACE, isEncrypted: false, requestPath: '/bayeux/a' };
  assert.equal(
    setCookieForClient('a=1; Path=/; Secure; SameSite=None; Partitioned', context),
    'chat~a=1; Path=/chat; SameSite=Lax',
  );
});

const DEFAULT_PATHS: readonly (readonly [path: string, requestPath: string, expected: string])[] = [
  ['/bayeux', '/bayeux', '/chat'],
  ['/bayeux', '/bayeux/', '/chat'],
  ['/bayeux', '/bayeux/a', '/chat'],
  ['/bayeux', '/bayeux/a/b', '/chat/a'],
  ['/bayeux', '/bayeux/a/b/', '/chat/a/b'],
  ['', '/', '/chat'],
  ['', '/a', '/chat'],
  ['', '/a/b', '/chat/a'],
  ['/a/b', '/a/b/c/d', '/chat/c'],
];
for (const [path, requestPath, expected] of DEFAULT_PATHS) {
  test(`a cookie without a path, set by ${requestPath} of "${path}", is for ${expected}`, () => {
    const cookie = set('a=1', { path, requestPath });
    assert.equal(/; Path=([^;]*)/.exec(cookie)?.[1], expected);
  });
}

test('a cookie of a mount at its own path keeps that path', () => {
  const context = { prefix: '/faye', path: '/faye', requestPath: '/faye/a/b' };
  assert.match(set('a=1; Path=/faye/x', context), /; Path=\/faye\/x;/);
  assert.match(set('a=1; Path=/', context), /; Path=\/faye;/);
  assert.match(set('a=1', context), /; Path=\/faye\/a;/);
});

test('mounts of which one lies under the other have different marks, made of what names are made of', () => {
  const prefixes = ['/a', '/a/b', '/a/b.c', '/a/b/c', '/a/b/c~', '/a/@/b', "/a/(',')/b"];
  const marks = prefixes.map(cookieMark);
  for (const [index, mark] of marks.entries()) {
    assert.match(mark, /^[!#$%&'*+.^_`|0-9A-Za-z-]+~$/);
    const above = prefixes.filter((prefix) => prefixes[index]?.startsWith(`${prefix}/`));
    for (const prefix of above) assert.notEqual(cookieMark(prefix), mark);
  }
});

const SENT: Record<string, string | undefined> = {
  'chat~a=1': 'a=1',
  'chat~a=1; chat~b=2': 'a=1; b=2',
  'chat~a=1;chat~b=2 ;  chat~c=3': 'a=1; b=2; c=3',
  'chat~a=b=c': 'a=b=c',
  'chat~a=': 'a=',
  'chat~a="x y"': 'a="x y"',
  'chat~caf\xe9=\xff': 'caf\xe9=\xff',
  'chat~a=\xc3\xa0; chat~b=1': 'a=\xc3\xa0; b=1',
  '\xa0chat~a=1': undefined,
  'chat~chat~a=1': 'chat~a=1',
  'chat~__Host-a=1': '__Host-a=1',
  'chat~=text': 'text',
  'chat~=a=b; chat~c=1': 'a=b; c=1',
  // Two with one name: those of browsers are in the order of their paths, and servers take the first.
  'chat~a=inner; chat~a=outer': 'a=inner; a=outer',
  // SECURITY: everything else is somebody else's.
  'SESSION=1': undefined,
  'SESSION=1; chat~a=1; other~a=2': 'a=1',
  'chat=1; chat~': undefined,
  'Chat~a=1': undefined,
  'xchat~a=1': undefined,
  'chat.inner~a=1': undefined,
  'comet-proxy~chat=id': undefined,
  'x="; chat~a=1"': 'a=1"',
  'text-without-name; =chat~a=1': undefined,
  '': undefined,
  ';;=;': undefined,
  'chat~=': undefined,
};
for (const [header, expected] of Object.entries(SENT)) {
  test(`Cookie for an upstream: ${header || 'nothing'}`, () => {
    assert.equal(cookiesForUpstream(header, SPACE), expected);
  });
}

const SHARED: Record<string, string | undefined> = {
  'SESSION=1': 'SESSION=1',
  'SESSION=1; other=2; chat~a=3': 'SESSION=1; a=3',
  'session=1; SESSIONX=1; XSESSION=1; SESSION ': undefined,
  // The upstream's own one is what it expects under this name.
  'SESSION=site; chat~SESSION=own': 'SESSION=own',
  'chat~SESSION=own; SESSION=site': 'SESSION=own',
  // One that another mount has set is not the site's.
  'other~SESSION=1': undefined,
};
for (const [header, expected] of Object.entries(SHARED)) {
  test(`Cookie for an upstream that may see the site's SESSION: ${header}`, () => {
    const seen = cookiesForUpstream(header, { ...SPACE, shared: new Set(['SESSION']) });
    assert.deepEqual(seen?.split('; ').toSorted(), expected?.split('; ').toSorted());
  });
}
