import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { readListenAddress } from '../../src/config/readers.ts';
import { reported } from './parse-error.ts';

const SITE = 'http://127.0.0.1:3000';

/** What is reported about an otherwise good config with these keys. */
function problems(keys: Record<string, unknown>): string {
  return reported(() => checkConfig({ site: SITE, ...keys }, 'flags')).join('\n');
}

const tcp = (port: number, host?: string) => ({ kind: 'tcp', host, port });
const ADDRESSES: readonly [text: string, address: object][] = [
  ['127.0.0.1:8080', tcp(8080, '127.0.0.1')],
  ['localhost:80', tcp(80, 'localhost')],
  ['[::1]:8080', tcp(8080, '::1')],
  [':8080', tcp(8080)],
  ['8080', tcp(8080)],
  ['127.0.0.1:0', tcp(0, '127.0.0.1')],
  [':65535', tcp(65_535)],
  ['unix:/run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
];
for (const [text, address] of ADDRESSES) {
  test(`"${text}" is an address to listen on`, () => {
    assert.deepEqual(readListenAddress(text), address);
  });
}

const NO_ADDRESSES = ['', 'localhost', 'localhost:', ':', ':65536', ':-1', ':123456', ':80a'];
for (const text of [...NO_ADDRESSES, '::1:80', '[::1]', 'http://127.0.0.1:80', '127.0.0.1:80/']) {
  test(`"${text}" is no address to listen on`, () => {
    const result = readListenAddress(text);
    assert.match('problem' in result ? result.problem : 'accepted', /^must be an address such as/);
  });
}

for (const text of ['[]:80', '[::1:80', '[nonsense]:80', 'two words:80']) {
  test(`"${text}" can never be bound, so it is no address`, () => {
    assert.ok('problem' in readListenAddress(text));
  });
}

for (const text of ['unix:', 'unix:x.sock', 'unix:./x.sock']) {
  test(`"${text}" is refused: a socket's path is absolute`, () => {
    const result = readListenAddress(text);
    assert.match('problem' in result ? result.problem : 'accepted', /absolute path/);
  });
}

test('one address to listen on stands for a list of one', () => {
  const listen = (value: unknown) => checkConfig({ site: SITE, listen: value }, 'flags').listen;
  assert.deepEqual(listen(':8080'), listen([':8080']));
  assert.equal(listen([':8080', 'unix:/run/x.sock']).length, 2);
});

const INTERVALS: readonly [text: string, minMs: number, maxMs: number][] = [
  ['2s', 2_000, 2_000],
  ['50ms', 50, 50],
  ['1s..30s', 1_000, 30_000],
  ['1s .. 30s', 1_000, 30_000],
  ['1s..1s', 1_000, 1_000],
  ['500ms..1m30s', 500, 90_000],
];
for (const [text, minMs, maxMs] of INTERVALS) {
  test(`the interval "${text}" is ${minMs} to ${maxMs} ms`, () => {
    const { live } = checkConfig({ site: SITE, live: { '/a': text } }, 'flags');
    assert.deepEqual(live['/a']?.[0]?.every, { minMs, maxMs });
  });
}

const INTERVAL_FORM = /must be a duration such as "2s", or two such as "1s\.\.30s"/;
const NO_INTERVALS: readonly [text: string, problem: RegExp][] = [
  ['', INTERVAL_FORM],
  ['soon', INTERVAL_FORM],
  ['2', INTERVAL_FORM],
  ['1s..', INTERVAL_FORM],
  ['..1s', INTERVAL_FORM],
  ['1s...2s', INTERVAL_FORM],
  ['1s-2s', INTERVAL_FORM],
  ['1s..2s..3s', INTERVAL_FORM],
  ['0s', /must be at least "50ms"/],
  ['49ms', /must be at least "50ms"/],
  ['10ms..1s', /must be at least "50ms"/],
  ['30s..1s', /must go from the shorter to the longer: "1s\.\.30s"/],
];
for (const [text, problem] of NO_INTERVALS) {
  test(`the interval "${text}" is refused, saying why`, () => {
    assert.match(problems({ live: { '/a': { every: text } } }), problem);
  });
}

test('a duration longer than a timer can hold is refused: it would fire at once', () => {
  assert.notEqual(problems({ live: { '/a': '600h' } }), '', 'every');
  assert.notEqual(problems({ live: { '/a': { every: '1s', linger: '600h' } } }), '', 'linger');
  assert.notEqual(problems({ limits: { drain: '600h' } }), '', 'drain');
});

const SITES: readonly [url: string, problem: RegExp][] = [
  ['127.0.0.1:3000', /must be an http or https URL/],
  ['ftp://legacy', /must be an http or https URL/],
  ['http://', /must be an http or https URL/],
  ['http://me:secret@legacy', /must not hold a user name or password/],
  ['http://legacy/app', /must not have a path.*try "http:\/\/legacy"/],
  ['http://legacy/?x=1', /must not have a path/],
  ['http://legacy/#', /must not have a path/],
];
for (const [url, problem] of SITES) {
  test(`the site "${url}" is refused, saying why`, () => {
    assert.match(problems({ site: { url } }), problem);
  });
}

const LISTS: readonly [keys: Record<string, unknown>, problem: RegExp][] = [
  [{ origins: ['partner.example'] }, /must be an origin/],
  [{ origins: ['https://partner.example/'] }, /try "https:\/\/partner\.example"/],
  [{ origins: ['null'] }, /must be an origin/],
  [{ origins: ['*'] }, /must be an origin/],
  [{ trustedProxies: ['10.0.0.0/33'] }, /must be an address or network/],
  [{ trustedProxies: ['::/129'] }, /must be an address or network/],
  [{ trustedProxies: ['10.0.0.0/8/8'] }, /must be an address or network/],
  [{ trustedProxies: ['all'] }, /must be an address or network/],
  [{ live: { '/a': { every: '1s', headers: { Host: 'x' } } } }, /set by the proxy itself/],
  [{ live: { '/a': { every: '1s', headers: { 'a b': 'x' } } } }, /is not a header name/],
  [{ live: { '/a': { every: '1s', headers: { a: 'x\r\nb: y' } } } }, /must not hold line breaks/],
  [{ live: { '/a': { every: '1s', timeout: '0s' } } }, /must be at least "1ms"/],
  [{ live: { '/a': { every: '1s', hold: '500ms' } } }, /must be at least "1s"/],
  [{ live: { '/a': { every: '1s', hold: '1m' } } }, /must be at most "55s"/],
  [{ live: { '/a': { every: '1s', patch: 'yes' } } }, /must be one of "none", "json", "merge"/],
  [{ live: { '/a': { every: '1s', compress: 'gzip' } } }, /must be true or false|boolean/],
  [{ limits: { messageBytes: '0B' } }, /must be at least "1B"/],
];
for (const [keys, problem] of LISTS) {
  test(`${JSON.stringify(keys)} is refused, saying why`, () => {
    assert.match(problems(keys), problem);
  });
}
