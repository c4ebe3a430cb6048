import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import { PageEditor } from '../../src/passthrough/inject/page-editor.ts';
import { selfRefresh } from '../../src/passthrough/inject/self-refresh.ts';
import { visit } from '../inject/page-visit.ts';
import type { TreeElement } from '../inject/tree.ts';
import { Tree } from '../inject/tree.ts';
import { assertAllLinear } from '../rewriting/assert-linear.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { startUpstream } from '../support/upstream.ts';

const CSP = 'Content-Security-Policy';
const OWN = /^\/_comet\/client(?:\.es5)?\.js\?v=[0-9a-f]{10}$/;

interface Page {
  readonly headers?: Record<string, string | string[]>;
  readonly body: string;
  readonly live?: boolean;
  readonly target?: string;
}

/** Send a page through a proxy, and give what a browser would see. */
async function load(t: TestContext, { headers = {}, body, live = false, target = '/page' }: Page) {
  const upstream = await startUpstream(t, (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/html', ...headers }).end(body);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    inject: ['/**'],
    ...(live ? { live: { '/page': { every: '1m', vary: [] } } } : {}),
  });
  const answer = await ask(t, proxy.port, get(target, 'Sec-Fetch-Dest: document'));
  const elements = new Tree(answer.body).elements;
  const isOwn = ({ attributes }: TreeElement) => OWN.test(attributes['src'] ?? '');
  return {
    answer,
    own: elements.filter(isOwn),
    others: elements.filter((element) => !isOwn(element)),
  };
}

test('no policy is changed, whatever it says', () => {
  const words = fc.constantFrom(
    ...['default-src', 'script-src', 'connect-src', 'sandbox', "'self'", "'none'", "'nonce-abc'"],
    ...[
      "'strict-dynamic'",
      "'unsafe-inline'",
      "'sha256-x'",
      '*',
      'https:',
      ';',
      ',',
      'report-uri /r',
    ],
  );
  const policies = fc.array(words, { maxLength: 8 }).map((parts) => parts.join(' '));
  const lines = fc.array(fc.tuple(fc.constantFrom(CSP, `${CSP}-Report-Only`), policies));
  fc.assert(
    fc.property(lines, (sent) => {
      const headers = sent.flat();
      const seen = visit({ headers: ['Content-Type', 'text/html', ...headers] });
      assert.deepEqual(seen.headers.slice(2, 2 + headers.length), headers);
      const more = seen.headers.slice(2 + headers.length);
      assert.ok(!more.some((text) => /security-policy/i.test(text)));
    }),
  );
});

test('a policy with a hash keeps the script out, and its page untouched', async (t) => {
  const headers = { [CSP]: ["script-src 'self'", "script-src 'sha256-abc='"], etag: '"x"' };
  const body = '<html><head><script>a()</script></head></html>';
  const { answer } = await load(t, { headers, body });
  assert.equal(answer.body, body);
  assert.deepEqual(answer.values('content-security-policy'), headers[CSP]);
  assert.deepEqual(answer.values('etag'), ['"x"']);
});

test('a nonce comes from the header, never from what somebody wrote into the page', async (t) => {
  const body = [
    '<!-- <script nonce="comment"> --><html><head>',
    `<meta http-equiv="${CSP}" content="script-src 'nonce-meta'">`,
    '<title>\'nonce-title\'</title><script nonce="page"></script></head>',
    "<body title=\"'nonce-attribute'\">'nonce-text'",
  ].join('\n');
  const nonces = async (headers: Record<string, string>) =>
    (await load(t, { headers, body })).own.map(({ attributes }) => attributes['nonce']);
  assert.deepEqual(await nonces({}), [undefined, undefined]);
  assert.deepEqual(await nonces({ [CSP]: "script-src 'nonce-header'" }), ['header', 'header']);
  const reporting = { [`${CSP}-Report-Only`]: "script-src 'nonce-reporting'" };
  assert.deepEqual(await nonces(reporting), [undefined, undefined]);
});

test('a nonce that is none, and could leave its attribute, is not used', async (t) => {
  for (const nonce of ['x" onload="alert(1)', 'x"><img src=x>', "x'y", 'x\u00e9']) {
    const headers = { [CSP]: `script-src 'nonce-${Buffer.from(nonce).toString('latin1')}'` };
    const { answer, own } = await load(t, { headers, body: '<html><head>' });
    assert.deepEqual([own, answer.body], [[], '<html><head>'], nonce);
  }
});

test('what a client puts into the address of a live page stays in its attribute', async (t) => {
  const targets = [
    '/page?a="><script>alert(1)</script>',
    "/page?a='><img/src=x>&b=<!--",
    '/page?a=%22%3E%3Cscript%3E',
    '/page?--></script><script>alert(1)//',
    '/page?\\"><b>',
  ];
  for (const target of targets) {
    const { answer, own, others } = await load(t, { body: '<p>x', live: true, target });
    assert.equal(own.length, 2, target);
    assert.deepEqual(
      others.map(({ name }) => name),
      ['html', 'head', 'body', 'p'],
      target,
    );
    for (const { attributes } of own) {
      assert.equal(attributes['data-page'], answer.values('comet-live')[0], target);
    }
  }
});

test('a header of the site cannot leave its attribute either', async (t) => {
  const refreshes = [
    '5; url="/page"',
    "5; url='/page'><script>alert(1)</script>",
    '5;url=/page " x="',
  ];
  for (const refresh of refreshes) {
    const { others } = await load(t, { headers: { refresh }, body: '<p>x', live: true });
    const names = others.map(({ name }) => name).filter((name) => name !== 'noscript');
    assert.deepEqual(names, ['html', 'head', 'body', 'p'], refresh);
  }
});

test('the site cannot make a page live that is not', async (t) => {
  const headers = { 'comet-live': '"/evil";ticket="x"' };
  const { own } = await load(t, { headers, body: '<p>x' });
  assert.deepEqual(
    own.map(({ attributes }) => attributes['data-page']),
    [undefined, undefined],
  );
});

test('the tags are put where tags can be, and nowhere in what somebody wrote', async (t) => {
  const texts = [
    '<textarea><head></textarea>',
    '<!--<head>-->',
    '<p title="<head>">',
    '<xmp><head>',
  ];
  for (const text of texts) {
    const { own } = await load(t, { body: `<html>${text}<p>` });
    assert.deepEqual(
      own.map(({ parent }) => parent),
      ['head', 'head'],
      text,
    );
  }
});

const LENGTH = 400_000;
const REPEATED = [
  ...['<', '</', '<!', '<!-', '<!--', '<![CDATA[', '<?', '<h', '<html ', '<html>', '<head a="'],
  ...['</html>', '</>', '<meta ', '<meta http-equiv=refresh content=5>', '<meta content="', ' '],
  ...['<script><!--', '<script>', '</script', '<noscript>', '<template>', '&amp', '"', "'", 'a'],
];

test('a page takes no more than its length to read, whatever it is', () => {
  const pageUrl = new URL('http://site.test/');
  assertAllLinear(
    REPEATED.flatMap((part) =>
      [false, true].map((isXml): [string, () => unknown] => [
        `${part} as ${isXml ? 'XML' : 'HTML'}`,
        () => {
          const options = { isXml, becomes: 'unknown', ownRefresh: pageUrl } as const;
          const editor = new PageEditor('|', options, () => undefined);
          const page = part.repeat(LENGTH / part.length);
          for (let i = 0; i < page.length; i += 1_000) editor.write(page.slice(i, i + 1_000));
          return editor.end();
        },
      ]),
    ),
    LENGTH,
  );
});

test('so does a header', () => {
  const pageUrl = new URL('http://site.test/');
  const parts = ['1', ' ', '1;', ';', '.', "5; url='", '5; u', '5;url=/'];
  assertAllLinear(
    parts.map((part): [string, () => unknown] => [
      part,
      () => selfRefresh(`${part}${part.slice(-1).repeat(LENGTH)}`, pageUrl, pageUrl),
    ]),
    LENGTH,
  );
  const policies = ["'nonce-", ' ', ';', ',', 'a.', '*', ':', "script-src 'nonce-a';", '-', 'a:'];
  assertAllLinear(
    policies.map((part): [string, () => unknown] => [
      part,
      () => {
        const policy = `script-src ${part.repeat(LENGTH / part.length)}`;
        return visit({ headers: ['Content-Type', 'text/html', CSP, policy] });
      },
    ]),
    LENGTH,
  );
});
