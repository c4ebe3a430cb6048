import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRouter } from '../../src/server/router.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { parsePattern } from '../../src/shared/path-pattern.ts';

const PREFIXES = ['/chat', '/chat/inner', '/live/io', '/x/y/z', '/a.b'];
const router = createRouter(
  ['/**', '/chat/live', '/_comet/x'].map((source) => ({ pattern: parsePattern(source) })),
  PREFIXES.map((prefix) => ({ prefix })),
);

/** The mount and what is left below it; other kinds by their name, refusals by their code. */
function routed(target: string): string {
  try {
    const match = router(target);
    return match.kind === 'mount' ? `${match.mount.prefix} + ${match.rest}` : match.kind;
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return error.code;
  }
}

const MOUNTED: Record<string, string> = {
  '/chat': '/chat + ',
  '/chat/': '/chat + /',
  '/chat?x=1': '/chat + ?x=1',
  '/chat/x': '/chat + /x',
  '/chat//x//': '/chat + //x//',
  '/chat/live': '/chat + /live',
  '/chat/inner': '/chat/inner + ',
  '/chat/inner/x': '/chat/inner + /x',
  '/chat/innerx': '/chat + /innerx',
  '/chat/x/inner': '/chat + /x/inner',
  '/live/io/socket.io/?EIO=4&t=%2e%2e/..': '/live/io + /socket.io/?EIO=4&t=%2e%2e/..',
  '/chat/%2F%41caf%C3%A9;jsessionid=1?%': '/chat + /%2F%41caf%C3%A9;jsessionid=1?%',
  '/chat/caf\xc3\xa9': '/chat + /caf\xc3\xa9',
  "/chat/~!$&'()*+,=:@-_": "/chat + /~!$&'()*+,=:@-_",
  '/chat/...': '/chat + /...',
  '/chat/.x/x.': '/chat + /.x/x.',
  '/chat/%25': '/chat + /%25',
  '/chat/a?..': '/chat + /a?..',
};
for (const [target, expected] of Object.entries(MOUNTED)) {
  test(`a path under a mount is the mount's, and what is left of it is not touched: ${target}`, () => {
    assert.equal(routed(target), expected);
  });
}

const NOT_MOUNTED: Record<string, string> = {
  '/chatter': 'live',
  '/chat.x': 'live',
  '/Chat/x': 'live',
  '/x/chat/': 'live',
  '/live': 'live',
  '/live/i': 'live',
  '/live/iox': 'live',
  '/x/y': 'live',
  '/aXb/': 'live',
  '/?/chat/': 'live',
  '/_comet': 'own',
  '/_comet/chat': 'own',
};
for (const [target, kind] of Object.entries(NOT_MOUNTED)) {
  test(`a path that only looks like that of a mount is none: ${target}`, () => {
    assert.equal(routed(target), kind);
  });
}

const TRAVERSALS = [
  '/chat/..',
  '/chat/../x',
  '/chat/x/../y',
  '/chat/.',
  '/chat/./x',
  '/chat/%2e%2e/',
  '/chat/%2E%2e',
  '/chat/.%2e/x',
  '/chat/%2e/x',
  '/chat/..%2f',
  '/chat/..%2fx',
  '/chat/%2e%2e%2fx',
  '/chat/x%2f..%2f..%2fy',
  '/chat/..;/x',
  '/chat/..;a=b/x',
  '/chat/x;/..;/y',
  '/chat/%2e%2e;/x',
  '/chat/..%3b/x',
  '/chat/..%3Ba/x',
  '/chat/..\\x',
  '/chat/x\\y',
  '/chat/%5c',
  '/chat/..%5Cx',
  '/chat/%252e%252e/x',
  '/chat/..%252fx',
  '/chat/%25%32%65%25%32%65/x',
  '/chat/..%255cx',
  '/chat/%00',
  '/chat/..%00/x',
  '/chat/%',
  '/chat/%2',
  '/chat/%zz',
  '/chat/..?x',
  '/chat/inner/../x',
  '/live/io/..',
];
for (const target of TRAVERSALS) {
  test(`no spelling of a path leads out of a mount: ${target}`, () => {
    assert.equal(routed(target), 'BAD_PATH');
  });
}

const DISGUISES = [
  '/%63hat/x',
  '/%63%68%61%74',
  '/ch%61t?x',
  '/chat%2f',
  '/chat%2Fx',
  '/chat%3Fx',
  '/chat%3bx/y',
  '/%2563hat/x',
  '/live%2Fio/x',
  '/live/%69o',
  '/a%2eb/x',
  '/chat%5cx',
];
for (const target of DISGUISES) {
  test(`a mount in disguise is neither the mount nor the site: ${target}`, () => {
    assert.equal(routed(target), 'BAD_PATH');
  });
}

test('where nothing is mounted, the site has all of its paths', () => {
  const plain = createRouter([], []);
  for (const target of [...TRAVERSALS, ...DISGUISES, '/chat']) {
    assert.equal(plain(target).kind, 'site', target);
  }
});

test('the order of the mounts in the config does not matter', () => {
  const reversed = createRouter(
    [],
    PREFIXES.toReversed().map((prefix) => ({ prefix })),
  );
  const match = reversed('/chat/inner/x');
  assert.equal(match.kind === 'mount' && match.mount.prefix, '/chat/inner');
});

test('whatever a path is, it stays below the mount when a server decodes and resolves it', () => {
  const part = fc.constantFrom(
    ...['/', '%2f', '\\', '%5c', '..', '.', '%2e', '%252e', '%25', '2e', ';', '%3b', 'a', '%', '?'],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const target = `/chat/${parts.join('')}`;
      const outcome = routed(target);
      if (outcome === 'BAD_PATH') return;
      assert.ok(outcome.startsWith('/chat'), outcome);
      // A server that decodes twice, takes both slashes for one, and drops path parameters.
      let path = target.split('?', 1)[0] ?? '';
      for (let i = 0; i < 2; i++) path = path.replace(/%([0-9a-f]{2})/gi, (_, hex) => unhex(hex));
      const plain = path.replaceAll('\\', '/').replace(/;[^/]*/g, '');
      assert.ok(new URL(plain, 'http://x').pathname.startsWith('/chat'), plain);
    }),
    { numRuns: 3_000 },
  );
});

function unhex(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
