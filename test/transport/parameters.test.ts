import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProxyError } from '../../src/shared/errors.ts';
import type { ParameterName, Parameters } from '../../src/transport/parameters.ts';
import { DEFAULTS, readParameters } from '../../src/transport/parameters.ts';
import { httpTransports } from '../../src/transport/transports.ts';

const NAMES: readonly ParameterName[] = [
  'padding',
  'maxBytes',
  'wait',
  'callback',
  'type',
  'form',
  'frame',
  'origin',
  'beat',
];

/** What one parameter's value means, or that it is refused. */
function read(name: ParameterName, value: string): Partial<Parameters> | 'refused' {
  try {
    const all = readParameters(new URLSearchParams([[name, value]]), NAMES);
    const changed = Object.entries(all).filter(
      ([key, now]) => now !== DEFAULTS[key as keyof Parameters],
    );
    return Object.fromEntries(changed);
  } catch (error) {
    assert.ok(error instanceof ProxyError);
    assert.equal(error.code, 'BAD_PARAMETER');
    return 'refused';
  }
}

const GOOD: [ParameterName, string, Partial<Parameters>][] = [
  ['padding', '0', {}],
  ['padding', '65536', { paddingBytes: 65_536 }],
  ['maxBytes', '4096', { maxBytes: 4_096 }],
  ['maxBytes', '1073741824', { maxBytes: 1_073_741_824 }],
  ['wait', '0', { waitMs: 0 }],
  ['wait', '55', { waitMs: 55_000 }],
  ['wait', '25', {}],
  ['frame', '0', {}],
  ['frame', '999999999', { frame: 999_999_999 }],
  ['type', 'mixed', { isMixed: true }],
  ['form', 'direct', { isDirect: true }],
  ['beat', '1', { isBeating: true }],
  ['origin', 'https://partner.example', { origin: 'https://partner.example' }],
  ['origin', 'HTTPS://Partner.Example:8443', { origin: 'https://partner.example:8443' }],
  ['callback', 'a', { callback: 'a' }],
  ['callback', '$', { callback: '$' }],
  ['callback', '_jQuery3_1', { callback: '_jQuery3_1' }],
  ['callback', 'x'.repeat(64), { callback: 'x'.repeat(64) }],
];
for (const [name, value, expected] of GOOD) {
  test(`${name}=${value} is understood`, () => assert.deepEqual(read(name, value), expected));
}

const NO_NUMBERS = [
  '',
  ' ',
  '-1',
  '+1',
  '1.5',
  '1e2',
  '0x10',
  ' 1',
  '1 ',
  '1\n',
  '١',
  'NaN',
  '1_0',
];
const WRONG: [ParameterName, string[]][] = [
  ['padding', [...NO_NUMBERS, '65537', '99999999999']],
  ['maxBytes', [...NO_NUMBERS, '0', '4095', '1073741825', '99999999999']],
  ['wait', [...NO_NUMBERS, '56', '25s']],
  ['frame', [...NO_NUMBERS, '1000000000', "7,alert(1)//'"]],
  ['type', ['', 'MIXED', 'mixed ', 'x-mixed-replace']],
  ['form', ['', 'Direct', 'sandboxed']],
  ['origin', ['', 'null', '*', 'partner.example', 'https://partner.example/', '//partner.example']],
  ['origin', ['https://a@partner.example', 'https://partner.example:443', 'https://p.example/x']],
  [
    'origin',
    ['javascript:alert(1)', 'data:,', 'file:///', "https://p.example 'self'", 'https://é'],
  ],
  ['callback', ['', 'a.b', 'a[0]', 'a["b"]', 'é', '𝒶', '1a', 'a b', 'a-b', 'x'.repeat(65)]],
  [
    'callback',
    ['alert(1)//', 'a;b', 'a\n', '\na', 'a\u2028', '<a', 'a%00', 'a\0', 'a`', '\\u0061'],
  ],
];
for (const [name, values] of WRONG) {
  for (const value of values) {
    test(`${name}=${JSON.stringify(value)} is refused`, () => {
      assert.equal(read(name, value), 'refused');
    });
  }
}

test('without any parameter a client waits 25 seconds and gets nothing extra', () => {
  assert.deepEqual(readParameters(new URLSearchParams(), NAMES), {
    paddingBytes: 0,
    maxBytes: undefined,
    waitMs: 25_000,
    callback: '',
    isMixed: false,
    isDirect: false,
    isAnswer: false,
    isBeating: false,
    frame: 0,
    origin: undefined,
  });
});

test('a parameter stands there once only, also with the same value', () => {
  for (const [name, value] of GOOD) {
    const twice = new URLSearchParams([
      [name, value],
      [name, value],
    ]);
    assert.throws(() => readParameters(twice, NAMES), { code: 'BAD_PARAMETER' });
  }
});

test('what the transport does not have is left alone: cache-busters come in many names', () => {
  const query = new URLSearchParams('_=1&_=2&wait=soon&callback=a.b&CALLBACK=x&__proto__=1&t=');
  assert.deepEqual(readParameters(query, ['padding']), DEFAULTS);
});

test('a parameter that is required is refused when it is missing', () => {
  const { parameters, required } = httpTransports.jsonp;
  assert.throws(() => readParameters(new URLSearchParams('wait=1'), parameters, required), {
    code: 'BAD_PARAMETER',
    message: '"callback" is missing',
  });
});

test('any number is taken within its limits only', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (number) => {
      const fits = (min: number, max: number) => number >= min && number <= max;
      const isRead = (name: ParameterName) => read(name, String(number)) !== 'refused';
      assert.equal(isRead('padding'), fits(0, 65_536));
      assert.equal(isRead('maxBytes'), fits(4_096, 1_073_741_824));
      assert.equal(isRead('wait'), fits(0, 55));
      assert.equal(isRead('frame'), fits(0, 999_999_999));
    }),
  );
});

test('no text becomes a callback that is more than one plain name', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('a', '.', '(', '$', '[', '\n'),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const value = pieces.join('');
      const isName = value.length <= 64 && /^[\w$]+$/.test(value) && !/^\d/.test(value);
      assert.equal(read('callback', value) !== 'refused', isName && !value.endsWith('\n'));
    }),
    { numRuns: 500 },
  );
});

test('the details of a refusal repeat nothing of the request', () => {
  for (const name of NAMES) {
    const query = new URLSearchParams([[name, '<canary>']]);
    assert.throws(
      () => readParameters(query, NAMES),
      ({ message }: Error) => message !== '' && !message.includes('canary'),
    );
  }
});

test('whole answers are asked for by form=answer, and by nothing else', () => {
  const form = (value: string) => readParameters(new URLSearchParams({ form: value }), ['answer']);
  assert.equal(form('answer').isAnswer, true);
  for (const value of ['direct', '1', '']) {
    assert.throws(() => form(value), { code: 'BAD_PARAMETER' });
  }
});
