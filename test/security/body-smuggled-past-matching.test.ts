import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { match } from '../../src/config/request.ts';
import { matchesQuery } from '../../src/live/request-match.ts';
import { FORM, isMeant, sent, shape } from '../live/request-changes.ts';

/*
 * An action that passes for a poll would be done again and again, in the name of whoever listens.
 * So no body may look like a poll to us and like an action to some server behind us.
 */

const POLL = { '/method': 'torrent-get' };
const GET = '{"method":"torrent-get"}';

test('the poll that all of this is about is meant', () => {
  for (const type of [
    'application/json',
    'json',
    'text/plain',
    FORM,
    'APPLICATION/JSON; Charset="UTF-8"',
  ]) {
    assert.ok(isMeant(POLL, GET, type), type);
  }
  assert.ok(isMeant({ action: 'list' }, 'x=1&action=list', FORM));
});

const JSON_ATTACKS: readonly [attack: string, body: string][] = [
  ['a member twice, the action last', '{"method":"torrent-get","method":"torrent-remove"}'],
  ['a member twice, the action first', '{"method":"torrent-remove","method":"torrent-get"}'],
  ['a member twice, both the same', '{"method":"torrent-get","method":"torrent-get"}'],
  [
    'a member twice, far apart',
    `{"method":"torrent-get","a":[${'{"b":"}"},'.repeat(99)}0],"method":"x"}`,
  ],
  ['an escaped twin', '{"method":"torrent-get","\\u006dethod":"torrent-remove"}'],
  ['an escaped twin first', '{"\\u006dethod":"torrent-remove","method":"torrent-get"}'],
  ['a twin in another case', '{"method":"torrent-get","Method":"torrent-remove"}'],
  ['a twin in another case first', '{"METHOD":"torrent-remove","method":"torrent-get"}'],
  ['another case alone', '{"Method":"torrent-get"}'],
  ['a twin that ends with NUL', '{"method\\u0000":"torrent-remove","method":"torrent-get"}'],
  ['a twin with half a character', '{"method\\ud800":"torrent-remove","method":"torrent-get"}'],
  ['half a character in a value', '{"method":"torrent-get","a":"\\udc00\\ud800"}'],
  ['half a character behind a backslash', '{"method":"torrent-get","a":"\\\\\\ud800"}'],
  ['a value with NUL', '{"method":"torrent-get\\u0000"}'],
  ['a value with white space', '{"method":"torrent-get "}'],
  ['a value in a list', '{"method":["torrent-get"]}'],
  ['a value as a key', '{"torrent-get":"method"}'],
  ['a member of the prototype', '{"__proto__":{"method":"torrent-get"}}'],
  ['a member inside a text', '{"a":"\\"method\\":\\"torrent-get\\""}'],
  ['a member of something inside', '{"a":{"method":"torrent-get"},"b":1}'],
  ['a batch', '[{"method":"torrent-get"},{"method":"torrent-remove"}]'],
  ['two texts', `${GET}{"method":"torrent-remove"}`],
  ['two texts on two lines', `${GET}\n{"method":"torrent-remove"}`],
  ['something behind it', `${GET};`],
  ['NUL behind it', `${GET}\0`],
  ['a byte order mark', `\ufeff${GET}`],
  ['a guard before it', `)]}',\n${GET}`],
  ['a comment with the action', '{/*"method":"torrent-remove",*/"method":"torrent-get"}'],
  ['a comment at the end', `${GET}//`],
  ['a comma at the end', '{"method":"torrent-get",}'],
  ['single quotes', "{'method':'torrent-get'}"],
  ['no quotes', '{method:"torrent-get"}'],
  ['a line break in a text', '{"a":"\n","method":"torrent-get"}'],
  ['a bad escape', '{"a":"\\x","method":"torrent-get"}'],
  ['a number that is none', '{"a":NaN,"method":"torrent-get"}'],
  ['a number with a leading zero', '{"a":01,"method":"torrent-get"}'],
  ['it is cut off', GET.slice(0, -1)],
];
for (const [attack, body] of JSON_ATTACKS) {
  test(`JSON is not taken for a poll: ${attack}`, () => {
    assert.equal(isMeant(POLL, body), false);
  });
}

const KELVIN = '\u212a';
const LONG_S = '\u017f';
test('a twin is one also by letters that only some parsers fold', () => {
  assert.equal(isMeant({ '/kind': 'x' }, `{"kind":"x","${KELVIN}ind":"y"}`), false);
  assert.equal(isMeant({ '/sort': 'x' }, `{"sort":"x","${LONG_S}ort":"y"}`), false);
});

test('a twin anywhere along the way is one', () => {
  assert.equal(isMeant({ '/a/b': 1 }, '{"a":{"b":1},"a":{"b":2}}'), false);
  assert.equal(isMeant({ '/a/b': 1 }, '{"a":{"b":1,"b":2}}'), false);
  assert.equal(isMeant({ '/a': null }, '{"A":1}'), false, 'and not absent');
});

test('a number with more digits than a double has is not taken for another', () => {
  assert.equal(isMeant({ '/a': 9007199254740991 }, '{"a":9007199254740991}'), true);
  assert.equal(isMeant({ '/a': 9007199254740991 }, '{"a":9007199254740991.2}'), false);
  assert.equal(isMeant({ '/a': 1 }, '{"a":1.00000000000000001}'), false);
  assert.equal(isMeant({ '/a': 1 }, `{"a":1${'0'.repeat(400)}e-400}`), false);
});

const TYPES: readonly [attack: string, type: string, coding?: string][] = [
  ['a charset in which the bytes are other letters', 'application/json; charset=ibm037'],
  ['a charset that hides letters', 'application/json; charset=utf-7'],
  ['a charset of two bytes', 'application/json; charset=utf-16'],
  ['two charsets', 'application/json; charset=utf-8; charset=ibm037'],
  ['a charset in pieces', 'application/json; charset*0=ibm; charset*1=037'],
  ['an extended charset', "application/json; charset*=utf-8''ibm037"],
  ['a charset with a broken quote', 'application/json; charset="utf-8'],
  ['an upload', 'multipart/form-data; boundary=x'],
  ['an upload in capitals', 'MULTIPART/Mixed; boundary=x'],
  ['a coding', 'application/json', 'gzip'],
  ['a coding in capitals', 'application/json', 'GZIP'],
  ['an unknown coding', 'application/json', 'x'],
  ['several codings', 'application/json', 'identity, gzip'],
];
for (const [attack, type, coding] of TYPES) {
  test(`a body is not looked into: ${attack}`, () => {
    assert.equal(isMeant(POLL, GET, type, coding), false);
  });
}

test('compressed bodies are not looked into, whatever they are called', () => {
  for (const type of ['application/json', FORM]) {
    assert.equal(isMeant({ '/method': null }, gzipSync(GET), type), false);
    assert.equal(isMeant({ action: null }, gzipSync('a=1'), type), false);
    assert.equal(isMeant({ '/method': null }, gzipSync(GET), type, 'gzip'), false);
  }
});

test('bytes that are no UTF-8 are not looked into', () => {
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80]]) {
    const body = Buffer.concat([
      Buffer.from('{"method":"torrent-get","a":"'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
    assert.equal(isMeant(POLL, body), false);
  }
  assert.equal(isMeant(POLL, Buffer.from(GET, 'utf16le')), false);
});

const FORM_ATTACKS: readonly [attack: string, body: string][] = [
  ['a field twice', 'action=list&action=remove'],
  ['a field twice, the action first', 'action=remove&action=list'],
  ['an escaped twin', 'action=list&%61ction=remove'],
  ['a twin in another case', 'action=list&Action=remove'],
  ['a twin behind a semicolon', 'action=list&x=1;action=remove'],
  ['a twin behind a semicolon in its value', 'action=list;action=remove'],
  ['an escaped twin behind a semicolon', 'x=;%61ction=remove&action=list'],
  ['only behind a semicolon', 'x=1;action=list'],
  ['an array of the name', 'action=list&action[]=remove'],
  ['an escaped array of the name', 'action=list&action%5B%5D=remove'],
  ['a twin behind a blank', 'action=list&+action=remove'],
  ['a twin that ends with NUL', 'action=list&action%00x=remove'],
  ['a name too long in UTF-8', 'action=list&%c1%a1ction=remove'],
  ['a name with a broken escape', 'action=list&%61ction%=remove'],
  ['a value with a broken escape', 'action=list%'],
  ['a value with NUL', 'action=list%00'],
  ['a plus that is a blank', 'action=list+'],
  ['a value escaped twice', 'action=%256cist'],
  ['a byte order mark', '\ufeffaction=list'],
  ['JSON that holds a form', '["&action=list&"]'],
  ['a name without a value', 'action&list'],
  ['a line break', 'action=list\r\n'],
];
for (const [attack, body] of FORM_ATTACKS) {
  test(`a form is not taken for a poll: ${attack}`, () => {
    assert.equal(isMeant({ action: 'list' }, body, FORM), false);
  });
}

test('what is to be absent is not, where it may be there for some server', () => {
  const bodies = ['\ufeffaction=remove', 'ACTION=remove', 'x=;action=remove', 'action[]=remove'];
  for (const body of [...bodies, '+action=remove', '%c1%a1ction=remove', 'action%00=remove']) {
    assert.equal(isMeant({ action: null }, body, FORM), false, body);
  }
});

test('a query is told from another as strictly as a form', () => {
  const { query } = match.parse({ query: { action: 'list' } });
  assert.ok(matchesQuery('/p?x=1&action=list', query));
  for (const [attack, body] of FORM_ATTACKS) {
    // A query is no body: what only bodies begin with is a value here.
    if (!/JSON/.test(attack)) assert.equal(matchesQuery(`/p?${body}`, query), false, attack);
  }
});

test('PHP reads dots and blanks as underscores', () => {
  for (const twin of ['a.b=y', 'a+b=y', 'a%20b=y', 'a%2eb=y', ' a_b=y']) {
    assert.equal(isMeant({ a_b: 'x' }, `a_b=x&${twin}`, FORM), false, twin);
  }
});

test('a plus is a blank, and an escaped one is a plus', () => {
  assert.deepEqual(
    ['a=1+2', 'a=1%202', 'a=1%2B2'].map((body) => isMeant({ a: '1 2' }, body, FORM)),
    [true, true, false],
  );
  assert.deepEqual(
    ['a=1+2', 'a=1%202', 'a=1%2B2', 'a=1%2b2'].map((body) => isMeant({ a: '1+2' }, body, FORM)),
    [false, false, true, true],
  );
});

test('nothing is polled where what is ignored or set could be two things', () => {
  for (const body of [
    '{"t":1,"t":2}',
    '{"t":1,"\\u0074":2}',
    '{"t":1,"T":2}',
    '{"t\\u0000":1,"t":2}',
  ]) {
    assert.equal(shape({ ignore: ['/t'] }, body), undefined, body);
    assert.equal(shape({ set: { '/t': 1 } }, body), undefined, body);
  }
});

test('the id that is given back is a short JSON scalar of the caller, byte for byte', () => {
  const call = (id: string) => shape({ rpc: 'json-rpc' }, `{"id":${id}}`)?.callerId;
  assert.equal(call('"</script>\\u003c"'), '"</script>\\u003c"');
  assert.equal(call(`"${'x'.repeat(254)}"`), `"${'x'.repeat(254)}"`);
  assert.equal(call(`"${'x'.repeat(255)}"`), undefined);
  assert.equal(call(`"${'ü'.repeat(128)}"`), undefined, 'in bytes');
  assert.equal(call('1'.repeat(256)), '1'.repeat(256));
  assert.equal(call('1'.repeat(257)), undefined);
  for (const id of [
    '{}',
    '[]',
    '[1]',
    'true',
    'false',
    '"\\ud800"',
    '1}{"a":1',
    '1,"id":2',
    '',
    '01',
    '+1',
  ]) {
    assert.equal(call(id), undefined, id);
  }
});

test('what one client ignores cannot change what is asked for another', () => {
  const values = ['1', '"x"', '{"b":2}', '[{"method":"y"}]', '"\\",\\"method\\":\\"y"', '"}{"'];
  const texts = values.map((value) => sent({ ignore: ['/t'] }, `{"t":${value},"method":"x"}`));
  assert.deepEqual(new Set(texts), new Set(['{"method":"x"}']));
});

test('what we take for a poll is one to every JSON parser that keeps either of two members', () => {
  const name = fc.constantFrom('method', '\\u006dethod', 'Method', 'm', '__proto__', 'methods');
  const value = fc.constantFrom(
    '"torrent-get"',
    '"x"',
    '{"method":"torrent-get"}',
    'null',
    '"torrent-\\u0067et"',
  );
  let meant = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 4 }), (members) => {
      const texts = members.map(([key, each]) => `"${key}":${each}`);
      if (!isMeant(POLL, `{${texts.join(',')}}`)) return;
      meant += 1;
      for (const order of [texts, texts.toReversed()]) {
        const parsed = JSON.parse(`{${order.join(',')}}`) as { readonly method: unknown };
        assert.equal(parsed.method, 'torrent-get');
      }
      // Nor is there another that a parser without case would take.
      const alike = members.filter(([key]) => /^(?:m|\\u006d)ethod$/i.test(key));
      assert.equal(alike.length, 1);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(meant > 20, `only ${meant} bodies were meant: the test says too little`);
});
