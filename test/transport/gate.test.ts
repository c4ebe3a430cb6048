import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corsHeaders, foreignOrigin, readerGate } from '../../src/transport/gate.ts';
import { acceptsEventStream } from '../../src/transport/negotiate.ts';

const OWN = 'https://shop.example';
const readers = readerGate('empty', 'document');
const LISTED = ['https://partner.example', 'http://localhost:3000'];

/** Raw headers as a browser sends them. */
const raw = (headers: Record<string, string>) => Object.entries(headers).flat();

/** `open`, `open for <origin>`, or the code of the refusal. */
function gate(headers: Record<string, string>): string {
  const result = readers(raw(headers), { own: OWN, allowed: LISTED });
  if (result.kind === 'refused') return result.code;
  return result.foreign === undefined ? 'open' : `open for ${result.foreign}`;
}

const GATE: [rule: string, headers: Record<string, string>, expected: string][] = [
  ['a program', {}, 'open'],
  ['a page of our own', { 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Dest': 'empty' }, 'open'],
  ['a page of our own that names itself', { Origin: OWN, 'Sec-Fetch-Site': 'same-origin' }, 'open'],
  ['our origin in other letters', { Origin: 'HTTPS://Shop.Example' }, 'open'],
  [
    'an address typed by a person',
    { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Dest': 'document' },
    'open',
  ],
  ['cross-site without a name', { 'Sec-Fetch-Site': 'cross-site' }, 'CROSS_SITE'],
  ['same-site without a name', { 'Sec-Fetch-Site': 'same-site' }, 'CROSS_SITE'],
  ['a sibling host', { Origin: 'https://www.shop.example' }, 'CROSS_SITE'],
  ['a stranger', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }, 'CROSS_SITE'],
  ['a stranger to whom the site is no matter', { Origin: 'https://evil.example' }, 'CROSS_SITE'],
  [
    'a stranger that claims the same origin',
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
    'CROSS_SITE',
  ],
  ['an opaque origin', { Origin: 'null' }, 'CROSS_SITE'],
  ['an empty origin', { Origin: '' }, 'CROSS_SITE'],
  ['a listed origin', { Origin: 'https://partner.example' }, 'open for https://partner.example'],
  [
    'a listed origin, cross-site',
    { Origin: 'http://localhost:3000', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'empty' },
    'open for http://localhost:3000',
  ],
  ['a listed host by another scheme', { Origin: 'http://partner.example' }, 'CROSS_SITE'],
  ['a listed host by another port', { Origin: 'https://partner.example:8443' }, 'CROSS_SITE'],
  ['a listed origin as a prefix', { Origin: 'https://partner.example.evil.example' }, 'CROSS_SITE'],
  ['a listed origin as a suffix', { Origin: 'https://evilpartner.example' }, 'CROSS_SITE'],
  ['a listed origin with a path', { Origin: 'https://partner.example/' }, 'CROSS_SITE'],
  ['our host by another scheme', { Origin: 'http://shop.example' }, 'CROSS_SITE'],
  ['our host by another port', { Origin: 'https://shop.example:8443' }, 'CROSS_SITE'],
  ['our host as a prefix', { Origin: 'https://shop.example.evil.example' }, 'CROSS_SITE'],
  ['our host as a suffix', { Origin: 'https://myshop.example' }, 'CROSS_SITE'],
  ['our host as a user name', { Origin: 'https://shop.example@evil.example' }, 'CROSS_SITE'],
];

for (const [rule, headers, expected] of GATE) {
  test(`a stream for ${rule}: ${expected}`, () => assert.equal(gate(headers), expected));
}

test('a stream cannot be loaded as a script, style, image or frame, from anywhere', () => {
  const wrong = [
    'script',
    'style',
    'image',
    'iframe',
    'frame',
    'object',
    'embed',
    'video',
    'worker',
  ];
  for (const destination of wrong) {
    const headers = { 'Sec-Fetch-Dest': destination, 'Sec-Fetch-Site': 'same-origin' };
    assert.equal(gate(headers), 'WRONG_DESTINATION', destination);
    assert.equal(gate({ ...headers, Origin: 'https://partner.example' }), 'WRONG_DESTINATION');
  }
  for (const destination of ['empty', 'document']) {
    assert.equal(gate({ 'Sec-Fetch-Dest': destination }), 'open', destination);
  }
});

test('a request has a foreign origin unless it is our own or a program', () => {
  const table: [Record<string, string>, string | undefined][] = [
    [{}, undefined],
    [{ Origin: OWN }, undefined],
    [{ Origin: 'null' }, 'null'],
    [{ Origin: 'https://Evil.example' }, 'https://evil.example'],
    [{ 'Sec-Fetch-Site': 'same-origin' }, undefined],
    [{ 'Sec-Fetch-Site': 'none' }, undefined],
    [{ 'Sec-Fetch-Site': 'cross-site' }, ''],
    [{ 'Sec-Fetch-Site': 'same-site' }, ''],
  ];
  for (const [headers, expected] of table) {
    assert.equal(foreignOrigin(raw(headers), OWN), expected, JSON.stringify(headers));
  }
});

test('only a listed origin is allowed to read the answer, by name', () => {
  assert.deepEqual(corsHeaders(undefined), { 'cross-origin-resource-policy': 'same-origin' });
  assert.deepEqual(corsHeaders('https://partner.example'), {
    'access-control-allow-origin': 'https://partner.example',
    'access-control-allow-credentials': 'true',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  });
});

test('an Accept header asks for an event stream by name', () => {
  const table: [string | undefined, boolean][] = [
    [undefined, false],
    ['', false],
    ['*/*', false],
    ['text/*', false],
    ['application/json', false],
    ['text/event-stream', true],
    ['Text/Event-Stream', true],
    ['application/json, text/event-stream', true],
    ['text/event-stream;q=0.5', true],
    ['text/event-stream; charset=utf-8', true],
    ['text/event-stream;q=0', false],
    ['text/event-stream; Q=0.000', false],
    ['text/event-stream;q=0.001', true],
    ['text/event-stream;q=0, text/html', false],
    ['text/event-streams', false],
    ['x-text/event-stream', false],
  ];
  for (const [accept, expected] of table)
    assert.equal(acceptsEventStream(accept), expected, accept);
});
