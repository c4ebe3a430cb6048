import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyUrl } from '../../src/passthrough/inject/policy-sources.ts';
import { judgePolicies } from '../../src/passthrough/inject/script-policy.ts';

const CSP = 'Content-Security-Policy';

function judge(headers: readonly string[], origin = 'https://shop.example') {
  const { protocol, host } = new URL(origin);
  const own = (path: string): PolicyUrl => ({
    scheme: protocol === 'https:' ? 'https' : 'http',
    host,
    path,
  });
  const scripts = [own('/_comet/client.js'), own('/_comet/link.js')];
  return judgePolicies(headers, { scripts, connect: own('/_comet/sse') });
}

/** In a word: `runs`, `runs with NONCE`, or the directive that stops it. */
function said(headers: readonly string[], origin?: string): string {
  const verdict = judge(headers, origin);
  if (verdict.kind === 'runs') {
    return verdict.nonce === undefined ? 'runs' : `runs with ${verdict.nonce}`;
  }
  const { reason } = verdict;
  const words = ['script-src', 'connect-src', 'sandbox', 'nonces'];
  return words.find((word) => reason.includes(word)) ?? reason;
}

const POLICIES: readonly (readonly [policy: string, verdict: string, origin?: string])[] = [
  ['', 'runs'],
  [';;', 'runs'],
  ["img-src 'none'; frame-ancestors 'none'; upgrade-insecure-requests", 'runs'],
  // Fallbacks.
  ["default-src 'self'", 'runs'],
  ["default-src 'none'", 'connect-src'],
  ["default-src 'none'; connect-src 'self'", 'script-src'],
  ["default-src 'none'; connect-src 'self'; script-src 'self'", 'runs'],
  ["script-src 'none'; script-src-elem 'self'", 'runs'],
  ["script-src 'self'; script-src-elem 'none'", 'script-src'],
  ["script-src 'self'; script-src-attr 'none'", 'runs'],
  ['script-src', 'script-src'],
  ["script-src 'none' 'self'", 'runs'],
  ["SCRIPT-SRC 'SELF'", 'runs'],
  ["script-src 'none'; script-src 'self'", 'script-src'],
  ["script-src\t'self'\n", 'runs'],
  // Inline scripts are none of our business.
  ["script-src 'unsafe-inline' 'unsafe-eval'", 'script-src'],
  ["script-src 'unsafe-inline' 'self'", 'runs'],
  ["script-src 'report-sample' 'self'", 'runs'],
  // Hosts.
  ['script-src *', 'runs'],
  ['script-src https:', 'runs'],
  ['script-src http:', 'runs'],
  ['script-src https:', 'script-src', 'http://shop.example'],
  ['script-src http:', 'runs', 'http://shop.example'],
  ['script-src data: blob:', 'script-src'],
  ['script-src shop.example', 'runs'],
  ['script-src SHOP.example', 'runs'],
  ['script-src https://shop.example', 'runs'],
  ['script-src http://shop.example', 'runs'],
  ['script-src https://shop.example', 'script-src', 'http://shop.example'],
  ['script-src https://shop.example:443', 'runs'],
  ['script-src shop.example:443', 'runs'],
  ['script-src shop.example:*', 'runs'],
  ['script-src shop.example:8443', 'script-src'],
  ['script-src shop.example', 'script-src', 'https://shop.example:8443'],
  ['script-src shop.example:8443', 'runs', 'https://shop.example:8443'],
  ['script-src *:8443', 'runs', 'https://shop.example:8443'],
  ['script-src https://*', 'runs'],
  ['script-src *.example', 'runs'],
  ['script-src *.shop.example', 'script-src'],
  ['script-src *.hop.example', 'script-src'],
  ['script-src cdn.example *.cdn.example', 'script-src'],
  ['script-src shop.example.evil', 'script-src'],
  ['script-src 127.0.0.1:8080', 'runs', 'http://127.0.0.1:8080'],
  ['script-src [::1]:8080', 'runs', 'http://[::1]:8080'],
  // Paths.
  ['script-src shop.example/', 'runs'],
  ['script-src shop.example/_comet/', 'runs'],
  ['script-src shop.example/%5Fcomet/', 'runs'],
  ['script-src shop.example/_comet', 'script-src'],
  ['script-src shop.example/_comet/client.js', 'script-src'],
  ['script-src shop.example/_comet/client.js shop.example/_comet/link.js', 'runs'],
  ['script-src shop.example/js/', 'script-src'],
  ['script-src shop.example/%zz/', 'script-src'],
  // Nonces.
  ["script-src 'nonce-abc+/-_='", 'runs with abc+/-_='],
  ["script-src 'NONCE-aBc'", 'runs with aBc'],
  ["script-src 'self' 'nonce-abc'", 'runs'],
  ["script-src 'nonce-abc' cdn.example", 'runs with abc'],
  ["default-src 'nonce-abc'; connect-src 'self'", 'runs with abc'],
  ["script-src 'nonce-'", 'script-src'],
  ["script-src 'nonce-a\"b'", 'script-src'],
  ["script-src 'nonce-a>b'", 'script-src'],
  ["script-src 'nonce-a=b'", 'script-src'],
  ["script-src 'nonce-===='", 'script-src'],
  ['script-src nonce-abc', 'script-src'],
  // Hashes are for other scripts.
  ["script-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='", 'script-src'],
  ["script-src 'sha256-x' 'self'", 'runs'],
  // Beside it hosts count for nothing.
  ["script-src 'strict-dynamic' 'nonce-abc' 'self' https: 'unsafe-inline'", 'runs with abc'],
  ["script-src 'self' 'strict-dynamic'", 'script-src'],
  ["script-src * 'Strict-Dynamic' 'sha256-x'", 'script-src'],
  // Connections.
  ["connect-src 'self'", 'runs'],
  ["connect-src 'none'", 'connect-src'],
  ['connect-src https://api.example', 'connect-src'],
  ["connect-src 'nonce-abc'", 'connect-src'],
  ['connect-src wss://shop.example', 'connect-src'],
  ['connect-src ws: wss:', 'connect-src'],
  ['connect-src https: wss:', 'runs'],
  ['connect-src shop.example/api/', 'connect-src'],
  ["default-src 'none'; script-src 'self'", 'connect-src'],
  // A sandbox.
  ['sandbox', 'sandbox'],
  ['sandbox allow-scripts', 'sandbox'],
  ['sandbox allow-same-origin', 'sandbox'],
  ['sandbox Allow-Scripts allow-same-origin allow-forms', 'runs'],
  // Trusted types are for what scripts do.
  ["require-trusted-types-for 'script'; trusted-types default; script-src 'self'", 'runs'],
  // Several in one line.
  ["script-src 'self', script-src 'none'", 'script-src'],
  ["script-src 'self', img-src *, connect-src 'none'", 'connect-src'],
  ["script-src 'nonce-a' 'nonce-b', script-src 'nonce-b' 'nonce-c'", 'runs with b'],
  ["script-src 'nonce-a', script-src 'nonce-b'", 'nonces'],
  ["script-src 'nonce-a', script-src 'self'", 'runs with a'],
  [", script-src 'self',", 'runs'],
];
for (const [policy, verdict, origin] of POLICIES) {
  const page = origin === undefined ? '' : ` on ${origin}`;
  test(`under "${policy}" the script: ${verdict}${page}`, () => {
    assert.equal(said([CSP, policy], origin), verdict);
  });
}

test('a page without a policy lets it run', () => {
  assert.equal(said(['Content-Type', 'text/html']), 'runs');
});

test('all lines of a policy have to agree, in any case of their name', () => {
  assert.equal(said([CSP, "script-src 'self'", CSP, "script-src 'none'"]), 'script-src');
  assert.equal(said([CSP, "script-src 'nonce-a'", 'content-security-policy', '*']), 'runs with a');
});

test('a policy that only reports stops nothing and gives no nonce', () => {
  const reporting = `${CSP}-Report-Only`;
  assert.equal(said([reporting, "default-src 'none'; sandbox"]), 'runs');
  assert.equal(
    said([reporting, "script-src 'nonce-a'", CSP, "script-src 'nonce-b'"]),
    'runs with b',
  );
});

test('reasons are the same for every page, so that they can be told once', () => {
  const reasons = ['a', 'b'].map((nonce) => judge([CSP, `script-src 'nonce-${nonce}"'`]));
  assert.deepEqual(reasons[0], reasons[1]);
});
