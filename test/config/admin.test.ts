import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { checkConfig, parseConfig } from '../../src/config/load.ts';
import { problemsIn, reported } from './parse-error.ts';

const SITE = 'http://127.0.0.1:3000';
const TOKEN = '0123456789abcdef';

const adminOf = (admin: unknown) => checkConfig({ site: SITE, admin }, 'flags').admin;

/** What is reported about this value of "admin" in a file. */
function problems(admin: unknown): string {
  return problemsIn(JSON.stringify({ site: SITE, admin })).join('\n');
}

test('there is no admin listener by default', () => {
  assert.equal(checkConfig({ site: SITE }, 'flags').admin, undefined);
});

test('an address stands for an object with it', () => {
  const address = { kind: 'tcp', host: '127.0.0.1', port: 9_090 };
  assert.deepEqual(adminOf('127.0.0.1:9090'), { address });
  assert.deepEqual(adminOf({ address: '127.0.0.1:9090' }), { address });
  assert.deepEqual(adminOf({ address: '127.0.0.1:9090', token: TOKEN }), { address, token: TOKEN });
});

const LOCAL = ['127.0.0.1:0', '127.3.2.1:9090', 'localhost:9090', 'LOCALHOST:9090', '[::1]:9090'];
for (const address of [...LOCAL, '[::ffff:127.0.0.1]:9090', 'unix:/run/x.sock']) {
  test(`"${address}" is reached from this machine only, and needs no token`, () => {
    assert.equal(problems(address), '');
  });
}

const REACHABLE = [
  ':9090',
  '9090',
  '0.0.0.0:9090',
  '[::]:9090',
  '10.0.0.7:9090',
  '[::ffff:10.0.0.7]:9090',
  '[fe80::1]:9090',
  '128.0.0.1:9090',
  'admin.internal:9090',
  'localhost.evil.example:9090',
  '127.0.0.1.evil.example:9090',
];
for (const address of REACHABLE) {
  test(`"${address}" may be reached from elsewhere, and needs a token`, () => {
    const message = /"(?:admin|address)" can be reached from other machines, so it needs a token/;
    assert.match(problems(address), message);
    assert.match(problems({ address }), message);
    assert.match(problems({ address }), /or listen on "127\.0\.0\.1:9090"/);
    assert.equal(problems({ address, token: TOKEN }), '');
  });
}

for (const address of ['fd:3', 'nowhere', 'http://127.0.0.1:9090', 'unix:x.sock', '']) {
  test(`"${address}" is no address of an admin listener`, () => {
    assert.match(problems({ address }), /"address" must be an (?:address|absolute path)/);
  });
}

const TOKENS: readonly [rule: string, token: string, problem: RegExp][] = [
  ['with fewer than 16 characters', 'secret-of-15-ch', /at least 16 characters/],
  ['that is empty', '', /at least 16 characters/],
  ['with a space', `${TOKEN} ${TOKEN}`, /visible ASCII/],
  ['with a line break', `${TOKEN}\n`, /visible ASCII/],
  ['beyond ASCII', `${TOKEN}ü`, /visible ASCII/],
  ['longer than a header should be', 'x'.repeat(513), /at most 512 characters/],
];
for (const [rule, token, problem] of TOKENS) {
  test(`a token ${rule} is refused, and the message does not repeat it`, () => {
    const told = problems({ address: '127.0.0.1:9090', token });
    assert.match(told, /^c\.json:1:\d+ "token" must be /);
    assert.match(told, problem);
    if (token) assert.ok(!told.includes(token.trim()), told);
    assert.equal(told.split('\n').length, 1);
  });
}

test('a token may stand in a file, with a line break at its end', () => {
  const admin = { address: '127.0.0.1:9090', token: `\${file:/run/secrets/admin}` };
  const files = new Map([['/run/secrets/admin', `${TOKEN}\n`]]);
  const readFile = (path: string) => files.get(path) ?? '';
  const text = JSON.stringify({ site: SITE, admin });
  assert.equal(parseConfig(text, 'c.json', { variables: {}, readFile }).admin?.token, TOKEN);
});

test('a bad token of a file is not repeated either', () => {
  const admin = { address: '127.0.0.1:9090', token: `\${file:/run/secrets/admin}` };
  const environment = { variables: {}, readFile: () => 'short-secret' };
  const parse = () => parseConfig(JSON.stringify({ site: SITE, admin }), 'c.json', environment);
  assert.doesNotMatch(reported(parse).join(), /short-secret/);
  assert.match(reported(parse).join(), /"token" must be at least 16/);
});

test('an unknown key is refused: there is no TLS here', () => {
  assert.match(problems({ address: '127.0.0.1:9090', tls: {} }), /unknown key "tls"/);
});

test('the published schema knows the same forms', () => {
  const validate = new Ajv2020({ strict: false }).compile(configJsonSchema());
  const isValid = (admin: unknown) => validate({ site: SITE, admin });
  assert.ok(isValid('127.0.0.1:9090'));
  assert.ok(isValid({ address: 'unix:/run/x.sock', token: TOKEN }));
  assert.ok(!isValid({ address: '127.0.0.1:9090', token: 'short' }));
  assert.ok(!isValid({ token: TOKEN }));
  assert.ok(!isValid(9_090));
});

const UPSTREAMS: readonly [admin: string, url: string][] = [
  ['127.0.0.1:9090', 'http://127.0.0.1:9090'],
  ['127.0.0.1:9090', 'http://localhost:9090'],
  ['localhost:9090', 'http://[::1]:9090'],
  ['[::1]:9090', 'http://127.0.0.1:9090'],
  ['127.0.0.1:80', 'http://127.1.2.3'],
  ['127.0.0.1:443', 'https://localhost'],
  [':9090', 'http://127.0.0.1:9090'],
  ['0.0.0.0:9090', 'http://localhost:9090'],
  ['127.0.0.1:9090', 'http://0.0.0.0:9090'],
  ['127.0.0.1:9090', 'http://[::]:9090'],
  ['127.0.0.1:9090', 'http://[::ffff:127.0.0.1]:9090'],
  ['127.0.0.1:9090', 'http://2130706433:9090'],
  ['10.0.0.7:9090', 'http://10.0.0.7:9090'],
  ['Admin.Internal:9090', 'http://admin.internal:9090'],
];
for (const [address, url] of UPSTREAMS) {
  test(`${url} cannot be behind us while "admin" is ${address}`, () => {
    const keys = { admin: { address, token: TOKEN } };
    const told = (more: object) => problemsIn(JSON.stringify({ ...keys, ...more })).join('\n');
    const problem = /is the address of "admin", which must not be reached through the proxy/;
    assert.match(told({ site: url }), /"site" is the address of "admin"/);
    assert.match(told({ site: { url } }), problem);
    assert.match(told({ site: SITE, comet: { '/chat/': `${url}/x/` } }), problem);
    assert.match(told({ site: SITE, comet: { '/c/': { origins: [`${SITE}/`, url] } } }), problem);
  });
}

test('other servers of this machine can be behind us', () => {
  for (const address of ['127.0.0.1:9090', 'unix:/run/x.sock']) {
    const config = { site: 'http://127.0.0.1:9091', admin: address };
    const comet = { '/chat/': 'http://10.0.0.7:9090/' };
    assert.deepEqual(problemsIn(JSON.stringify({ ...config, comet })), []);
  }
});
