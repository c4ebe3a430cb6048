import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BodyKeys } from './request-changes.ts';
import { FORM, sent, shape } from './request-changes.ts';

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
/** A value, and how it is written. */
type Written = { readonly value: Json; readonly text: string };

/** Few names, so that what is ignored or set is often there. */
const name = fc.constantFrom('a', 'b', 'c', 'id', '0');
const gap = fc.constantFrom('', '', ' ', '\n\t');

const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc
      .constantFrom(
        '1',
        '-0.50',
        '1e3',
        'null',
        'true',
        '""',
        '"}],\\"a\\":1"',
        '"\\u00fc"',
        '[]',
        '{ }',
      )
      .map((text): Written => ({ value: JSON.parse(text) as Json, text })),
    fc.tuple(fc.array(tie('written'), { maxLength: 3 }), gap).map(
      ([items, space]): Written => ({
        value: items.map(({ value }) => value),
        text: `[${space}${items.map(({ text }) => text).join(`${space},`)}${space}]`,
      }),
    ),
    fc
      .tuple(fc.dictionary(name, tie('written'), { maxKeys: 4, noNullPrototype: true }), gap)
      .map(([members, space]): Written => objectOf(Object.entries(members), space)),
  ),
}));

function objectOf(members: readonly (readonly [string, Written])[], space: string): Written {
  const texts = members.map(([key, { text }]) => `${space}"${key}"${space}:${text}${space}`);
  return {
    value: Object.fromEntries(members.map(([key, { value }]) => [key, value])),
    text: `{${texts.join(',')}}`,
  };
}

const object = fc
  .tuple(fc.dictionary(name, written, { maxKeys: 5, noNullPrototype: true }), gap)
  .map(([members, space]) => objectOf(Object.entries(members), space));

const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`);
const ignored = fc.array(
  fc
    .array(fc.oneof(name, fc.constantFrom('*', '?d')), { minLength: 1, maxLength: 3 })
    .map((names) => `/${names.join('/')}`),
  { maxLength: 3 },
);
const changes = fc
  .dictionary(path, fc.oneof(fc.constantFrom<Json>('x', 5, null), fc.constant<Json>({ c: [1] })), {
    maxKeys: 3,
    noNullPrototype: true,
  })
  .filter((set) => {
    const pointers = Object.keys(set);
    return !pointers.some((one) => pointers.some((other) => other.startsWith(`${one}/`)));
  });
const keys = fc
  .record({ ignore: ignored, set: changes, isCall: fc.boolean() })
  .map(({ ignore, set, isCall }): BodyKeys => {
    // The config refuses both together.
    const hasId = [...ignore, ...Object.keys(set)].some((each) => /^\/id(?:\/|$)/.test(each));
    return { ignore, set, ...(isCall && !hasId && { rpc: 'json-rpc' }) };
  });

function isObject(value: Json | undefined): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value without what a path names. */
function without(value: Json, [first, ...rest]: readonly string[]): Json {
  if (first === undefined || typeof value !== 'object' || value === null) return value;
  const fits = (key: string) => key === first || first === '*' || (first === '?d' && key === 'id');
  if (Array.isArray(value)) {
    return value.map((item, i) => {
      if (!fits(String(i))) return item;
      return rest.length === 0 ? null : without(item, rest);
    });
  }
  const members = Object.entries(value).filter(([key]) => !(fits(key) && rest.length === 0));
  return Object.fromEntries(
    members.map(([key, each]) => [key, fits(key) ? without(each, rest) : each]),
  );
}

/** The value with another at a path, or `undefined` where there is no place for it. */
function withValue(value: Json, [first, ...rest]: readonly string[], text: Json): Json | undefined {
  if (first === undefined) return text;
  if (Array.isArray(value)) {
    const index = Number(first);
    const item = Number.isInteger(index) ? value[index] : undefined;
    const next = item === undefined ? undefined : withValue(item, rest, text);
    return next === undefined ? undefined : value.with(index, next);
  }
  if (!isObject(value)) return undefined;
  const next = withValue(Object.hasOwn(value, first) ? (value[first] ?? null) : {}, rest, text);
  return next === undefined ? undefined : { ...value, [first]: next };
}

function pathOf(pointer: string): string[] {
  return pointer.slice(1).split('/');
}

/** What is to be sent, as values. */
function expected({ ignore = [], set = {}, rpc }: BodyKeys, body: Json): Json | undefined {
  const removals = [...ignore, ...Object.keys(set).filter((pointer) => set[pointer] === null)];
  let value: Json | undefined = removals.reduce(
    (left, pointer) => without(left, pathOf(pointer)),
    body,
  );
  for (const [pointer, each] of Object.entries(set)) {
    if (each !== null && value !== undefined)
      value = withValue(value, pathOf(pointer), each as Json);
  }
  return value === undefined || !rpc ? value : withValue(value, ['id'], 1);
}

/** What is set inside an array that is taken out in part has two meanings: not looked at. */
function isPlain({ ignore = [], set = {} }: BodyKeys, body: Json): boolean {
  const names = [...ignore, ...Object.keys(set).filter((pointer) => set[pointer] === null)];
  const isInArray = names.some((pointer) => {
    const paths = pathOf(pointer).slice(0, -1);
    return holdsArray(body, paths);
  });
  return !isInArray || Object.values(set).every((each) => each === null);
}

function holdsArray(value: Json, [first, ...rest]: readonly string[]): boolean {
  if (Array.isArray(value)) return true;
  if (!isObject(value) || first === undefined) return false;
  return Object.entries(value).some(([key, each]) => {
    const fits = key === first || first === '*' || (first === '?d' && key === 'id');
    return fits && holdsArray(each, rest);
  });
}

test('what is sent has what is set, lacks what is ignored, and is the same for the rest', () => {
  let compared = 0;
  fc.assert(
    fc.property(keys, object, (options, { value, text }) => {
      const isCall = isObject(value) && ['string', 'number'].includes(typeof value['id']);
      fc.pre(options.rpc === undefined || isCall);
      fc.pre(isPlain(options, value));
      const result = sent(options, text);
      const wanted = expected(options, value);
      assert.deepEqual(result === undefined ? undefined : JSON.parse(result), wanted);
      if (wanted !== undefined) compared += 1;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(compared > 500, `only ${compared} bodies were sent: the test says too little`);
});

test('what is sent is sent as it is when it comes again', () => {
  fc.assert(
    fc.property(keys, object, (options, { text }) => {
      const once = sent(options, text);
      if (once !== undefined) assert.equal(sent(options, once), once);
    }),
    { numRuns: 2_000 },
  );
});

test('bodies that differ only in an ignored member, or in the id, are sent as one', () => {
  const member = fc.option(written, { nil: undefined });
  const id = fc.oneof(
    fc.integer().map(String),
    fc.string().map((each) => JSON.stringify(each)),
  );
  fc.assert(
    fc.property(object, member, member, id, id, gap, (rest, one, other, id1, id2, space) => {
      const entries = Object.entries(rest.value as object).filter(([key]) => key !== 'id');
      const body = (own: Written | undefined, callId: string) => {
        const members = entries.map(([key, value]) => `"${key}":${JSON.stringify(value)}`);
        const token = own ? [`${space}"token" :${space}${own.text}${space}`] : [];
        return `{${[`"id":${callId}`, ...token, ...members].join(',')}}`;
      };
      const options: BodyKeys = { ignore: ['/token'], rpc: 'json-rpc' };
      const [a, b] = [shape(options, body(one, id1)), shape(options, body(other, id2))];
      assert.deepEqual(a?.sent, b?.sent);
      assert.deepEqual([a?.callerId, b?.callerId], [id1, id2]);
    }),
  );
});

test('bodies that differ elsewhere are never sent as one', () => {
  let different = 0;
  fc.assert(
    fc.property(object, object, (one, other) => {
      const options: BodyKeys = { ignore: ['/b', '/a/id'] };
      const [left, right] = [one, other].map(({ value }) => expected(options, value));
      const [a, b] = [sent(options, one.text), sent(options, other.text)];
      if (JSON.stringify(left) === JSON.stringify(right)) return;
      different += 1;
      assert.notEqual(a, b);
    }),
    { numRuns: 1_000 },
  );
  assert.ok(different > 100);
});

test('numbers that are the same as doubles are not the same', () => {
  const body = (digit: number) => `{"n":1234567890123456789${digit},"b":0}`;
  assert.notEqual(sent({ ignore: ['/b'] }, body(1)), sent({ ignore: ['/b'] }, body(2)));
});

const field = fc.constantFrom(
  'a=1',
  'a',
  'b=2',
  'b=%32',
  '%62=3',
  'tok1=x',
  'tok',
  '',
  '=',
  'c=+%2B',
);
const form = fc.array(field, { maxLength: 6 }).map((all) => all.join('&'));

test('a form is sent as it is, less what is ignored, with what is set', () => {
  fc.assert(
    fc.property(form, (text) => {
      const options: BodyKeys = { ignore: ['tok*'], set: { b: 0 } };
      const once = sent(options, text, FORM) ?? '';
      assert.equal(sent(options, once, FORM), once);
      const others = (of: string) =>
        of.split('&').filter((each) => each !== '' && !/^(?:b|%62)=|^tok/.test(each));
      assert.deepEqual(others(once), others(text));
      assert.deepEqual(new URLSearchParams(once).getAll('b'), ['0']);
    }),
  );
});

test('any bytes under any keys are shaped or not, without an error', () => {
  const type = fc.constantFrom(FORM, 'application/json', 'text/xml', '');
  fc.assert(
    fc.property(keys, fc.uint8Array(), type, (options, bytes, contentType) => {
      shape(options, bytes, contentType);
    }),
  );
  fc.assert(
    fc.property(keys, fc.json(), fc.nat(), (options, text, length) => {
      shape(options, text);
      shape(options, text.slice(0, length % (text.length + 1)));
    }),
  );
});
