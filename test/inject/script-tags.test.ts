import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseFragment } from 'parse5';
import type { TagsOptions } from '../../src/passthrough/inject/script-tags.ts';
import { scriptTags } from '../../src/passthrough/inject/script-tags.ts';

const PLAIN: TagsOptions = {
  version: '0123456789',
  isXml: false,
  nonce: undefined,
  live: undefined,
  refresh: undefined,
};

test('one tag is for browsers of today, one for those before', () => {
  assert.equal(
    scriptTags(PLAIN),
    '<script src="/_comet/client.js?v=0123456789"></script>' +
      '<script nomodule src="/_comet/client.es5.js?v=0123456789"></script>',
  );
});

test('in XML every attribute has a value', () => {
  assert.equal(
    scriptTags({ ...PLAIN, isXml: true, nonce: 'abc' }),
    '<script src="/_comet/client.js?v=0123456789" nonce="abc"></script>' +
      '<script nomodule="nomodule" src="/_comet/client.es5.js?v=0123456789" nonce="abc"></script>',
  );
});

test('both say what the page is, and what refreshes it without scripts stands behind them', () => {
  const refresh = { seconds: 5, content: '5; url=/?a&b' };
  const attributes = ' data-page="&#34;/?a&#38;b&#34;;id=&#34;a-1&#34;" data-refresh="5"';
  assert.equal(
    scriptTags({ ...PLAIN, live: '"/?a&b";id="a-1"', refresh }),
    `<script src="/_comet/client.js?v=0123456789"${attributes}></script>` +
      `<script nomodule src="/_comet/client.es5.js?v=0123456789"${attributes}></script>` +
      '<noscript><meta http-equiv="refresh" content="5; url=/?a&#38;b"></noscript>',
  );
});

test('whatever a value is, it stays one value, in ASCII', () => {
  const texts = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(texts, texts, (live, content) => {
      const tags = scriptTags({ ...PLAIN, live, refresh: { seconds: 1, content } });
      assert.match(tags, /^[\x20-\x7e]*$/);
      const { childNodes } = parseFragment(tags, { scriptingEnabled: false });
      assert.deepEqual(
        childNodes.map(({ nodeName }) => nodeName),
        ['script', 'script', 'noscript'],
      );
    }),
  );
});

test('a browser reads the value that was sent', () => {
  const texts = fc.string({ unit: fc.constantFrom(...' "\'<>&;=`/-!aé\xff~') });
  fc.assert(
    fc.property(texts, (live) => {
      const [script] = parseFragment(scriptTags({ ...PLAIN, live })).childNodes;
      const attributes = script && 'attrs' in script ? script.attrs : [];
      assert.equal(attributes.find(({ name }) => name === 'data-page')?.value, live);
    }),
  );
});
