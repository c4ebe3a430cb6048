import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CookieSpace } from '../../src/passthrough/cookies.ts';
import { cookiesForUpstream, setCookieForClient } from '../../src/passthrough/cookies.ts';
import { CookieJar } from './cookie-jar.ts';

const NAMES = fc.constantFrom(
  'a',
  'b',
  'SESSION',
  '__Host-a',
  '__Secure-a',
  'chat~a',
  '~',
  'A',
  '',
);
const VALUES = fc.oneof(
  fc.constantFrom('1', '', 'a=b', '"q"', 'x y', '=', 'chat~a=1', '%3B'),
  fc.string({ unit: fc.constantFrom(...'aZ0=~"%,é\u00ff /'), maxLength: 8 }),
);
/** Paths below the origin's own. */
const BELOW = fc.constantFrom('/', '/x', '/x/', '/x/y', '/x/y/z', '/xy', '/z%2Fx');
const ATTRIBUTES = fc.constantFrom(
  'HttpOnly',
  'Secure',
  'SameSite=None',
  'SameSite=Strict',
  'Partitioned',
  'Max-Age=100',
  'Max-Age=0',
);

interface Setting {
  readonly from: string;
  readonly name: string;
  readonly value: string;
  readonly path: string | undefined;
  readonly attributes: readonly string[];
}
const SETTING = fc
  .record<Setting>({
    from: BELOW,
    name: NAMES,
    value: VALUES,
    path: fc.option(BELOW, { nil: undefined }),
    attributes: fc.array(ATTRIBUTES, { maxLength: 3 }),
  })
  // With neither a name nor a value it is none.
  .filter(({ name, value }) => name !== '' || value.trim() !== '');
const SETTINGS = fc.array(SETTING, { minLength: 1, maxLength: 6 });
/** One for all: what differs in nothing else is one cookie for the site. */
const DOMAINS = fc.constantFrom(
  ...['', 'Domain=push.example', 'domain=.push.example', 'Domain=example'],
);
const MOUNTED = fc.record({
  domain: DOMAINS,
  origin: fc.constantFrom('', '/bayeux', '/a/b', '/chat'),
  prefix: fc.constantFrom('/chat', '/x/y', '/bayeux'),
  scheme: fc.constantFrom('http', 'https'),
});

/** A browser that has talked to the origin itself, and one that has talked to it through a mount. */
function browsers(settings: readonly Setting[], space: CookieSpace, scheme: string, domain = '') {
  const direct = new CookieJar();
  const proxied = new CookieJar();
  const upstream = `https://push.example${space.path}`;
  const site = `${scheme}://shop.example`;
  for (const { from, name, value, path, attributes } of settings) {
    const where = path === undefined ? [] : [`Path=${space.path}${path}`];
    const header = [`${name}=${value}`, ...where, ...attributes, domain].join('; ');
    const context = {
      ...space,
      isEncrypted: scheme === 'https',
      requestPath: space.path + from,
    };
    direct.set(upstream + from, header);
    proxied.set(site + space.prefix + from, setCookieForClient(header, context));
  }
  return {
    direct: (path: string) => direct.header(upstream + path),
    proxied: (path: string) => proxied.header(site + path),
  };
}

test('an origin gets its cookies back exactly when a browser of its own would have sent them', () => {
  fc.assert(
    fc.property(SETTINGS, MOUNTED, BELOW, (settings, { origin, prefix, scheme, domain }, path) => {
      const space = { prefix, path: origin, shared: new Set<string>() };
      const { direct, proxied } = browsers(settings, space, scheme, domain);
      const sent = cookiesForUpstream(proxied(prefix + path), space) ?? '';
      assert.equal(sent, direct(path));
    }),
    { numRuns: 2_000 },
  );
});

test("the site never gets a mount's cookies from a browser", () => {
  const sitePaths = fc.constantFrom(
    '/',
    '/x',
    '/chatter',
    '/chat;x',
    '/chat%2Fx',
    '/xx/chat/',
    '/x',
  );
  fc.assert(
    fc.property(SETTINGS, MOUNTED, sitePaths, (settings, { origin, scheme }, path) => {
      const space = { prefix: '/chat', path: origin, shared: new Set<string>() };
      assert.equal(browsers(settings, space, scheme).proxied(path), '');
    }),
  );
});

test('a mount never gets the cookies of a mount that it lies under, nor that one its own', () => {
  fc.assert(
    fc.property(SETTINGS, BELOW, (settings, path) => {
      const shared = new Set(['a', 'b', 'SESSION', 'A']);
      const outer = { prefix: '/chat', path: '', shared };
      const inner = { prefix: '/chat/x', path: '', shared };
      const ofOuter = browsers(settings, outer, 'https').proxied(inner.prefix + path);
      assert.equal(cookiesForUpstream(ofOuter, inner), undefined);
      const ofInner = browsers(settings, inner, 'https').proxied(inner.prefix + path);
      assert.equal(cookiesForUpstream(ofInner, outer), undefined);
    }),
  );
});

test("of the site's cookies an upstream gets those that are listed, whatever their values hold", () => {
  const siteCookies = fc.array(fc.tuple(NAMES, VALUES), { maxLength: 6 });
  fc.assert(
    fc.property(siteCookies, fc.uniqueArray(NAMES), (cookies, listed) => {
      const shared = new Set<string>(listed.filter((name) => name !== ''));
      const own = cookies.filter(([name]) => !name.startsWith('chat~') && name !== '');
      const jar = new CookieJar();
      for (const [name, value] of own) jar.set('https://shop.example/', `${name}=${value}; Path=/`);
      const space = { prefix: '/chat', path: '', shared };
      const seen = cookiesForUpstream(jar.header('https://shop.example/chat/'), space) ?? '';
      const names = seen
        .split('; ')
        .map((pair) => pair.split('=', 1)[0])
        .filter(Boolean);
      const expected = new Set<string>(
        own.map(([name]) => name).filter((name) => shared.has(name)),
      );
      assert.deepEqual(new Set(names), expected);
    }),
  );
});
