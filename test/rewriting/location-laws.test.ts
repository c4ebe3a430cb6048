import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { mappingOf, toPublicReference, toUpstreamUrl } from '../../src/passthrough/url-map.ts';
import { restBelow } from '../../src/shared/mount-path.ts';

const SEGMENT = fc.constantFrom(
  'a',
  'b.c',
  '..',
  '.',
  '%2e%2e',
  '.%2E',
  '',
  'x%2Fy',
  '...',
  'a..b',
);
const TAIL = fc.constantFrom('', '?q=/../x', '#f/..', '?', '?a#b');
const REFERENCE = fc
  .tuple(
    fc.constantFrom('', '/', '/bayeux/', '/up/stream/'),
    fc.array(SEGMENT, { maxLength: 5 }),
    TAIL,
  )
  .map(([head, segments, tail]) => head + segments.join('/') + tail)
  // Two slashes begin a host, and an empty reference is none.
  .filter((reference) => reference !== '' && !reference.startsWith('//'));
const REST = fc
  .array(fc.constantFrom('a', 'b', 'c.d', '%20'), { minLength: 1, maxLength: 4 })
  .map((segments) => `/${segments.join('/')}`);
const MOUNTED = fc
  .tuple(
    fc.constantFrom('', '/bayeux', '/up/stream'),
    fc.constantFrom('/chat', '/x/y/z', '/bayeux'),
  )
  .map(([path, prefix]) => mappingOf(new URL(`https://push.example${path}/`), prefix));

test('any path that an upstream redirects to below its own is the same path below the mount', () => {
  fc.assert(
    fc.property(MOUNTED, REST, REFERENCE, (base, rest, reference) => {
      const { href } = new URL(reference, base.origin + base.path + rest);
      const inside = restBelow(href.slice(base.origin.length), base.path);
      fc.pre(inside !== undefined);
      const at = `https://shop.example${base.prefix}${rest}`;
      const mapped = toPublicReference(reference, {
        mapping: base,
        mappings: [base],
        requestPath: base.path + rest,
        publicAuthority: 'shop.example',
      });
      const wanted = new URL(`https://shop.example${base.prefix}${inside}`);
      assert.equal(new URL(mapped ?? reference, at).href, wanted.href);
    }),
    { numRuns: 2_000 },
  );
});

test('there and back again: a path of the mount as the upstream names it is the path of the mount', () => {
  const bytes = fc.string({ unit: fc.constantFrom(..."aZ0-_~!$&'()*+,=:@%\xe9"), maxLength: 10 });
  const tails = fc.tuple(REST, bytes, TAIL).map(([rest, more, tail]) => `${rest}/${more}${tail}`);
  fc.assert(
    fc.property(MOUNTED, tails, fc.boolean(), (base, tail, hasScheme) => {
      const url = toUpstreamUrl(base.prefix + tail, base) ?? '';
      const written = hasScheme ? url : url.replace('https:', '');
      const back = toPublicReference(written, {
        mapping: base,
        mappings: [base],
        requestPath: `${base.path}/`,
        publicAuthority: 'shop.example',
      });
      assert.equal(back, base.prefix + tail);
      const path = url.slice(base.origin.length);
      assert.equal(
        toPublicReference(path, {
          mapping: base,
          mappings: [base],
          requestPath: `${base.path}/`,
          publicAuthority: 'x',
        }),
        base.prefix + tail,
      );
    }),
  );
});
