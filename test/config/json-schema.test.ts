import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse as parseJsonc } from 'jsonc-parser';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { checkConfig, loadConfig } from '../../src/config/load.ts';
import { reported } from './parse-error.ts';

const ROOT = new URL('../../', import.meta.url);
const validate = new Ajv2020({ strict: false, allErrors: true }).compile(configJsonSchema());

test('the published schema is the current one', () => {
  const published = readFileSync(new URL('schema/proxy.config.schema.json', ROOT), 'utf8');
  assert.equal(published, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
});

test("the repository's own config is accepted by schema and loader", () => {
  const file = new URL('proxy.config.json', ROOT);
  const text = readFileSync(file, 'utf8').replace(/\$\{\w+:-([^}]*)\}/g, '$1');
  assert.ok(validate(parseJsonc(text)), JSON.stringify(validate.errors));
  assert.ok(loadConfig(file.pathname, { variables: {} }).site.url);
});

const SITE = 'http://127.0.0.1:3000';
/** A config with one endpoint that has these keys. */
const withEndpoint = (keys: object) => ({ site: SITE, live: { '/a': { every: '1s', ...keys } } });

const VALID: readonly [rule: string, config: object][] = [
  ['a site alone', { site: SITE }],
  ['a site with all its keys', { site: { url: SITE, preserveHost: false, connectTimeout: '1s' } }],
  ['an address to listen on', { site: SITE, listen: '[::1]:8080' }],
  ['several addresses to listen on', { site: SITE, listen: [':80', 'unix:/run/x.sock'] }],
  ['a shorthand endpoint', { site: SITE, live: { '/a': '1s..30s', '/b/:id/**': '2s' } }],
  ['a public endpoint', withEndpoint({ vary: [] })],
  ['every kind of key', withEndpoint({ vary: ['cookie:a', 'X-Tenant', 'query:q[]', 'ip'] })],
  ['endpoint keys', withEndpoint({ polls: 'pass', transports: ['sse'], ignoreQuery: [] })],
  ['numbers with units', withEndpoint({ timeout: '1m30s', maxBody: '1.5MiB', linger: '0s' })],
  ['constant headers', withEndpoint({ headers: { 'x-poll': 'yes' }, history: 0 })],
  ['lists', { site: SITE, origins: ['https://a.example'], trustedProxies: ['10.0.0.0/8', '::1'] }],
  ['limits', { site: SITE, limits: { streams: 1, drain: '1m', headerBytes: '8KiB' } }],
  ['a log', { site: SITE, log: { level: 'silent', format: 'json', access: 'combined' } }],
  ['a log without access lines', { site: SITE, log: { access: false } }],
  ['a schema to edit with', { $schema: './schema.json', site: SITE }],
];
for (const [rule, config] of VALID) {
  test(`schema and loader accept ${rule}`, () => {
    assert.deepEqual(
      reported(() => checkConfig(config, 'flags')),
      [],
    );
    assert.ok(validate(config), JSON.stringify(validate.errors));
  });
}

const INVALID: readonly [rule: string, config: unknown][] = [
  ['a missing site', {}],
  ['a list', []],
  ['an unknown key', { site: SITE, sites: SITE }],
  ['an unknown key of a site', { site: { url: SITE, host: 'x' } }],
  ['an unknown key of an endpoint', withEndpoint({ interval: '1s' })],
  ['an unknown key of the limits', { site: SITE, limits: { memory: '1GiB' } }],
  ['a site without URL', { site: { preserveHost: true } }],
  ['an endpoint without interval', { site: SITE, live: { '/a': {} } }],
  ['a duration without unit', withEndpoint({ timeout: '10' })],
  ['a number for a duration', withEndpoint({ timeout: 10 })],
  ['a number for an endpoint', { site: SITE, live: { '/a': 2 } }],
  ['a bad duration of a site', { site: { url: SITE, connectTimeout: 'soon' } }],
  ['a bad size', withEndpoint({ maxBody: '4MB' })],
  ['a bad word', withEndpoint({ polls: 'hold it' })],
  ['a bad transport', withEndpoint({ transports: ['websocket'] })],
  ['no transport', withEndpoint({ transports: [] })],
  ['no address to listen on', { site: SITE, listen: [] }],
  ['a port as a number', { site: SITE, listen: 8080 }],
  ['a bad "vary"', withEndpoint({ vary: ['two words'] })],
  ['an empty name to ignore', withEndpoint({ ignoreQuery: [''] })],
  ['too much history', withEndpoint({ history: 10_001 })],
  ['a negative history', withEndpoint({ history: -1 })],
  ['a fraction of a stream', { site: SITE, limits: { streams: 1.5 } }],
  ['no streams', { site: SITE, limits: { streams: 0 } }],
  ['a bad level', { site: SITE, log: { level: 'verbose' } }],
  ['true for a format', { site: SITE, log: { access: true } }],
  ['a header that is no text', withEndpoint({ headers: { 'x-a': 1 } })],
];
for (const [rule, config] of INVALID) {
  test(`schema and loader refuse ${rule}`, () => {
    assert.notDeepEqual(
      reported(() => checkConfig(config, 'flags')),
      [],
    );
    assert.equal(validate(config), false);
  });
}

test('every key has a description, which an editor shows', () => {
  const { properties } = configJsonSchema() as {
    properties: { live: { additionalProperties: { anyOf: { properties?: object }[] } } };
  };
  const endpoint = properties.live.additionalProperties.anyOf.find((each) => each.properties);
  for (const [key, value] of Object.entries(endpoint?.properties ?? {})) {
    assert.match(JSON.stringify(value), /"description":"./, key);
  }
});
