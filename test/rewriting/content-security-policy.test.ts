import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapPolicy } from '../../src/passthrough/content-security-policy.ts';

const PUSH = ['push.example.net', 'push.example.net:443'];
const NODE = ['node.example.net:8000'];

const OF_PUSH: Record<string, string> = {
  'connect-src push.example.net': "connect-src 'self'",
  'connect-src https://push.example.net': "connect-src 'self'",
  'connect-src wss://push.example.net https://push.example.net': "connect-src 'self'",
  'connect-src https://PUSH.example.net:443/bayeux/': "connect-src 'self'",
  'connect-src push.example.net:*': "connect-src 'self'",
  'connect-src https://push.example.net:*': "connect-src 'self'",
  "connect-src 'self' https://push.example.net": "connect-src 'self'",
  "default-src 'none'; script-src 'nonce-x' push.example.net; img-src *":
    "default-src 'none'; script-src 'nonce-x' 'self'; img-src *",
  'script-src-elem push.example.net': "script-src-elem 'self'",
  'CONNECT-SRC push.example.net': "CONNECT-SRC 'self'",
  'frame-ancestors https://push.example.net': "frame-ancestors 'self'",
  'form-action https://push.example.net/x': "form-action 'self'",
  'connect-src https://push.example.net, script-src https://push.example.net':
    "connect-src 'self', script-src 'self'",
  // A wildcard covers what it covered.
  'connect-src *.example.net': "connect-src *.example.net 'self'",
  'connect-src https://*.example.net': "connect-src https://*.example.net 'self'",
  'connect-src *.example.net:443': "connect-src *.example.net:443 'self'",
  'connect-src *.example.net:*': "connect-src *.example.net:* 'self'",
};
for (const [policy, expected] of Object.entries(OF_PUSH)) {
  test(`a policy that allows the origin allows the site: ${policy}`, () => {
    assert.equal(mapPolicy(policy, PUSH), expected);
  });
}

const UNTOUCHED = [
  "connect-src 'none'",
  "connect-src 'self'",
  'connect-src *',
  'connect-src https: wss:',
  'connect-src data: blob:',
  'connect-src example.net',
  'connect-src push.example.net:8443',
  'connect-src push.example.net.evil',
  'connect-src xpush.example.net',
  'connect-src https://node.example.net:8000',
  'connect-src *.push.example.net',
  'connect-src *.other.example',
  // What was not allowed is not allowed: it is not the port of the origin.
  'connect-src *.example.net:8443',
  'report-uri https://push.example.net/csp',
  'sandbox allow-scripts; upgrade-insecure-requests; block-all-mixed-content',
  "script-src 'sha256-push.example.net' 'unsafe-inline' 'strict-dynamic'",
  "  default-src   'self'  ;; ",
  'connect-src',
  '',
];
for (const policy of UNTOUCHED) {
  test(`a policy that says nothing of the origin is untouched: ${policy || 'an empty one'}`, () => {
    assert.equal(mapPolicy(policy, PUSH), policy);
  });
}

const OF_NODE: Record<string, string> = {
  'connect-src node.example.net:8000': "connect-src 'self'",
  'connect-src ws://node.example.net:8000': "connect-src 'self'",
  'connect-src node.example.net:*': "connect-src 'self'",
  'connect-src *.example.net:8000': "connect-src *.example.net:8000 'self'",
  // Without a port it is the scheme's own.
  'connect-src node.example.net': 'connect-src node.example.net',
  'connect-src *.example.net': 'connect-src *.example.net',
};
for (const [policy, expected] of Object.entries(OF_NODE)) {
  test(`the port of a source is that of the origin: ${policy}`, () => {
    assert.equal(mapPolicy(policy, NODE), expected);
  });
}
