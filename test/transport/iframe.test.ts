import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { envelope } from '../../src/transport/envelope.ts';
import { directIframe, sandboxedIframe } from '../../src/transport/iframe.ts';
import { jsonSnapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { anyEvents, anyUrl, runCalls, runPosts, scriptsOf } from './script-page.ts';

const FORMS = [sandboxedIframe, directIframe] as const;
const EVENT = jsonSnapshot('a-1', '{"n":1}');
const TEXT = '{"url":"/x","id":"a-1","event":"snapshot","data":{"n":1}}';
const DOCUMENT = '<!doctype html><meta charset=utf-8><title>comet</title><body>';
const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

test('an event is one script element, the same for both forms and for everybody', () => {
  for (const form of FORMS) {
    assert.equal(
      frameBytes(form, EVENT).toString(),
      '<script>p("{\\"url\\":\\"/x\\",\\"id\\":\\"a-1\\",\\"event\\":\\"snapshot\\",\\"data\\":{\\"n\\":1}}")</script>\n',
    );
    assert.equal(form.heartbeat, '<script>p()</script>\n');
    assert.equal(
      form.farewell(1_234.5),
      '<script>p("{\\"event\\":\\"retry\\",\\"data\\":{\\"retryMs\\":1235}}")</script>\n',
    );
  }
});

test('the document begins with at least 1024 bytes of padding, and more on demand', () => {
  for (const form of FORMS) {
    for (const [asked, given] of [
      [0, 1_024],
      [1_024, 1_024],
      [4_000, 4_000],
    ] as const) {
      const prelude = form.prelude({ ...OPTIONS, paddingBytes: asked });
      assert.ok(prelude.startsWith(`${DOCUMENT}<!--${' '.repeat(given)}--><script>`), `${asked}`);
    }
  }
});

test('a sandboxed document posts to the origin of its page and to no other', () => {
  const html = [sandboxedIframe.prelude(OPTIONS), frameBytes(sandboxedIframe, EVENT)];
  assert.deepEqual(runPosts(`${html.join('')}${sandboxedIframe.heartbeat}`), [
    { message: { comet: 7, envelope: null }, target: 'https://shop.example' },
    { message: { comet: 7, envelope: TEXT }, target: 'https://shop.example' },
    { message: { comet: 7, envelope: null }, target: 'https://shop.example' },
  ]);
});

test('a direct document calls the function of its number', () => {
  const html = [directIframe.prelude(OPTIONS), frameBytes(directIframe, EVENT)];
  assert.deepEqual(runCalls(`${html.join('')}${directIframe.heartbeat}`, 7), [null, TEXT, null]);
});

test('old engines that know no current script run it too', () => {
  const scripts = scriptsOf(directIframe.prelude(OPTIONS));
  const calls: unknown[] = [];
  const run = new Function('parent', 'document', scripts.join(';'));
  run({ cometFrames: { 7: (text: unknown) => calls.push(text) } }, {});
  assert.deepEqual(calls, [null]);
});

test('only the sandboxed form has no origin; both are framed by our own pages only', () => {
  const common = {
    'content-type': 'text/html; charset=utf-8',
    'cross-origin-embedder-policy': 'require-corp',
    'referrer-policy': 'no-referrer',
  };
  assert.deepEqual(sandboxedIframe.headers(OPTIONS), {
    ...common,
    'content-security-policy': `sandbox allow-scripts; ${POLICY}`,
  });
  assert.deepEqual(directIframe.headers(OPTIONS), {
    ...common,
    'content-security-policy': POLICY,
  });
});

test('a listed origin may frame it as well', () => {
  const options = { ...OPTIONS, page: 'https://partner.example', isForeign: true };
  for (const form of FORMS) {
    const policy = form.headers(options)['content-security-policy'] ?? '';
    assert.ok(policy.endsWith(`${POLICY} https://partner.example`), policy);
  }
});

test('a refusal is a document that tells it, since a page sees no status of its frames', () => {
  const data = {
    code: 'TOO_MANY_STREAMS',
    status: 503,
    message: 'too many streams',
  };
  const text = JSON.stringify({ event: 'error', data });
  const posted = sandboxedIframe.refusal?.('TOO_MANY_STREAMS', OPTIONS) ?? '';
  assert.deepEqual(
    runPosts(posted).map(({ message }) => message),
    [
      { comet: 7, envelope: null },
      { comet: 7, envelope: text },
    ],
  );
  const called = directIframe.refusal?.('TOO_MANY_STREAMS', OPTIONS) ?? '';
  assert.deepEqual(runCalls(called, 7), [null, text]);
});

test('whatever the events hold, the elements give back their envelopes and nothing ends one', () => {
  fc.assert(
    fc.property(anyEvents, anyUrl, (events, url) => {
      const frames = events.map((event) => frameBytes(sandboxedIframe, event, url));
      const bytes = Buffer.concat([Buffer.from(sandboxedIframe.prelude(OPTIONS)), ...frames]);
      const html = bytes.toString('latin1');
      assert.match(html, /^[\n -~]*$/, 'no charset changes it');
      assert.equal(scriptsOf(html).length, 1 + events.length);
      const texts = events.map((event) => envelope(event, url).toString());
      const expected = [null, ...texts].map((text) => ({ comet: 7, envelope: text }));
      assert.deepEqual(
        runPosts(html).map(({ message }) => message),
        expected,
      );
      const direct = directIframe.prelude(OPTIONS) + frames.join('');
      assert.deepEqual(runCalls(direct, 7), [null, ...texts]);
    }),
    { numRuns: 300 },
  );
});

test('an own origin that a client made up with its Host stays inside its string', () => {
  for (const page of ['https://a"-alert(1)-"b', 'https://x</script><script>', 'https://é\u2028']) {
    const html = sandboxedIframe.prelude({ ...OPTIONS, page });
    assert.deepEqual(
      runPosts(html).map(({ target }) => target),
      [page],
    );
  }
});
