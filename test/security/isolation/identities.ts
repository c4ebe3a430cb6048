import type { Random } from '../../fuzz/random.ts';
import type { Guise } from './edge.ts';
import type { View } from './view.ts';

const LONG = 'x'.repeat(3_000);

/**
 * What can be different about clients. Texts are latin1. Values share beginnings and ends, and hold
 * what separates values elsewhere: whoever puts them together carelessly takes one for another.
 */
const POOLS = {
  cookies: [
    [],
    [''],
    ['SESSION=a'],
    ['SESSION=ab'],
    ['SESSION=A'],
    ['session=a'],
    ['SESSION='],
    ['SESSION'],
    ['=a'],
    ['a'],
    ['SESSION=a=b'],
    ['SESSION=a,b'],
    ['SESSION="a;b"'],
    ['SESSION=a; OTHER=b'],
    ['SESSION=a;OTHER=b'],
    ['OTHER=b; SESSION=a'],
    ['SESSION=a', 'OTHER=b'],
    ['SESSION=a', ''],
    ['SESSION=a; SESSION=b'],
    ['SESSION=a', 'SESSION=b'],
    ['SESSION=b; SESSION=a'],
    ['SESSION=b', 'SESSION=a'],
    ['SESSION=a OTHER=b'],
    ['OTHER=a'],
    ['XSESSION=a; SESSIONX=a; x=SESSION=a'],
    ['SESSION=\xe9'],
    ['SESSION=\xe9\xff'],
    ['SESSION=\xc3'],
    ['SESSION=\xc3\xa0'],
    ['\xa0SESSION=a'],
    ['SESSION=a\xa0'],
    ['SESSION=%61'],
    [`SESSION=${LONG}1`],
    [`SESSION=${LONG}2`],
    ['__proto__=a'],
    ['__proto__=b; constructor=a'],
    ['constructor=a'],
    ['SESSION=","'],
    ['SESSION=a","authorization",["b"]'],
  ],
  authorization: [
    [],
    [''],
    ['Basic YQ=='],
    ['Basic YWI='],
    ['basic YQ=='],
    ['Bearer a'],
    ['Bearer a', 'Basic YQ=='],
    ['Basic YQ==', 'Bearer a'],
    ['Bearer a, Basic YQ=='],
    [`Bearer ${LONG}1`],
    [`Bearer ${LONG}2`],
  ],
  tenant: [[], [''], ['a'], ['ab'], ['abc'], ['a', 'b'], ['b', 'a'], ['a, b'], ['a,b'], ['\xe9']],
  region: [[], [''], ['a'], ['b'], ['bc'], ['c'], ['a', 'b'], ['\xc3\xa9']],
  tokens: [
    [],
    ['X-CSRF-Token-1: a'],
    ['X-CSRF-Token-1: b'],
    ['X-CSRF-Token-2: a'],
    ['X-CSRF-Token-1: ab', 'X-CSRF-Token-2: c'],
    ['X-CSRF-Token-1: a', 'X-CSRF-Token-2: bc'],
    ['X-CSRF-Token-1: a', 'X-CSRF-Token-1: b'],
    ['X-CSRF-Token-: a'],
    ['X-CSRF-Token: a'],
    ['X-CSRF-Token-__proto__: a'],
  ],
  odd: [
    [],
    ['__proto__: a'],
    ['__proto__: ab'],
    ['constructor: a'],
    ['__proto__: a', 'constructor: b'],
    ['__proto__: b', 'constructor: a'],
    ['toString: a', 'hasOwnProperty: a'],
  ],
  query: [
    '',
    '?u=a',
    '?u=b',
    '?u=a&u=b',
    '?u=b&u=a',
    '?u=a&_=17',
    '?u=b&u=a&_=17',
    '?_=17',
    '?u',
    '?u=',
    '?%75=a',
    '?u=a%26u=b',
    '?tok=a',
    '?tok=ab',
    '?to=k&tok=a',
    '?t=1&_=2&tok=ab',
    '?__proto__=a',
  ],
  content: [
    { type: 'application/json', text: '{"a":1}' },
    { type: 'application/json', text: '{"a":1} ' },
    { type: 'application/json', text: '{"a":1,"__proto__":{"b":1}}' },
    { type: 'application/json; charset=utf-8', text: '{"a":1}' },
    { type: 'text/plain', text: '{"a":1}' },
    { type: 'application/x-www-form-urlencoded', text: 'a=1' },
    { type: 'application/x-www-form-urlencoded', text: 'a=1&b=2' },
    { type: 'application/x-www-form-urlencoded', text: 'b=2&a=1' },
    { type: 'application/x-www-form-urlencoded', text: 'a=%31' },
    { type: 'application/x-www-form-urlencoded', text: LONG },
    { type: 'application/x-www-form-urlencoded', text: `${LONG}1` },
    { type: 'a/b', text: 'cd' },
    { type: 'a/bc', text: 'd' },
  ],
  address: ['192.0.2.1', '192.0.2.11', '192.0.2.2', '2001:db8::1', '203.0.113.9, 192.0.2.1'],
  host: ['127.0.0.1:1001', '127.0.0.1:1002', '127.0.0.1:100', '127.0.0.1:10'],
  scheme: ['http', 'https'],
} as const satisfies Readonly<Record<string, readonly unknown[]>>;

type Dimension = keyof typeof POOLS;

/** One client, by everything that can be different about it. */
export type Identity = { readonly [D in Dimension]: (typeof POOLS)[D][number] };

const DIMENSIONS = Object.keys(POOLS) as Dimension[];

/** What is the same to whoever is careless with one thing only. */
const CONFUSABLE: readonly Partial<Identity>[] = [
  // Where one value ends and the next one begins.
  { tenant: ['ab'], region: ['c'] },
  { tenant: ['a'], region: ['bc'] },
  { tenant: ['abc'], region: [] },
  { tenant: [], region: ['a'] },
  { tokens: ['X-CSRF-Token-1: ab', 'X-CSRF-Token-2: c'] },
  { tokens: ['X-CSRF-Token-1: a', 'X-CSRF-Token-2: bc'] },
  { content: { type: 'a/b', text: 'cd' } },
  { content: { type: 'a/bc', text: 'd' } },
  // Nothing, and empty.
  { tenant: ['a'], region: [''] },
  { tenant: ['a'], region: [] },
  { cookies: ['SESSION=a', ''] },
  // How many lines there are, and in which order.
  { cookies: ['SESSION=a; OTHER=b'] },
  { cookies: ['SESSION=a', 'OTHER=b'] },
  { cookies: ['SESSION=a', 'SESSION=b'] },
  { cookies: ['SESSION=b', 'SESSION=a'] },
  { tenant: ['a', 'b'], region: [] },
  { tenant: ['b', 'a'], region: [] },
  { tenant: ['a,b'], region: [] },
  // Letter case, other bytes, and what only the end shows.
  { cookies: ['SESSION=A'] },
  { cookies: ['session=a'] },
  { cookies: ['SESSION=a\xa0'] },
  { cookies: ['SESSION=\xc3'] },
  { cookies: ['SESSION=\xc3\xa0'] },
  { cookies: ['SESSION=\xe9'] },
  { cookies: [`SESSION=${LONG}1`] },
  { cookies: [`SESSION=${LONG}2`] },
  // Names.
  { tokens: ['X-CSRF-Token-1: a'] },
  { tokens: ['X-CSRF-Token-2: a'] },
  { odd: ['__proto__: a'] },
  { odd: ['__proto__: ab'] },
  { odd: ['constructor: a'] },
  // Queries and bodies.
  { query: '?u=a&u=b' },
  { query: '?u=b&u=a&_=17' },
  { content: { type: 'application/json', text: '{"a":1}' } },
  { content: { type: 'application/json', text: '{"a":1} ' } },
  { content: { type: 'text/plain', text: '{"a":1}' } },
];

/**
 * Clients of one endpoint: one, those that differ from it in one thing only, and strangers.
 *
 * @param areSame - Does the endpoint take these two for the same?
 */
export function createIdentities(
  random: Random,
  count: number,
  areSame: (one: Identity, other: Identity) => boolean,
): Identity[] {
  const stranger = (): Identity => {
    const entries = DIMENSIONS.map((dimension) => [dimension, random.pick(pool(dimension))]);
    return Object.fromEntries(entries) as Identity;
  };
  const base: Identity = { ...stranger(), cookies: ['SESSION=a'], scheme: 'http' };
  const confusable = CONFUSABLE.map((part) => ({ ...base, ...part }));
  const identities = [base, base, ...confusable.filter((other) => !areSame(base, other))];
  for (const dimension of DIMENSIONS) {
    const others = pool(dimension).filter((value) => value !== base[dimension]);
    identities.push({ ...base, [dimension]: random.pick(others) });
  }
  while (identities.length < count) identities.push(stranger());
  return identities;
}

/** What a site sees of a client that asks for this path itself. */
export function viewOf(identity: Identity, path: string): View {
  const lines = headerLines(identity).flatMap((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+/, '')];
  });
  return {
    target: `${path}${identity.query}`,
    host: identity.host,
    scheme: identity.scheme,
    address: identity.address.split(', ').at(-1) ?? '',
    headers: lines,
    content: identity.content,
  };
}

/** How a client's requests look on the wire. @param more - Further lines of it. */
export function guiseOf(identity: Identity, more: readonly string[]): Guise {
  const { host, scheme, address } = identity;
  return {
    host,
    origin: `${scheme}://${host}`,
    lines: [
      `X-Forwarded-For: ${address}`,
      `X-Forwarded-Proto: ${scheme}`,
      ...headerLines(identity),
      ...more,
    ],
  };
}

function headerLines(identity: Identity): string[] {
  return [
    ...identity.cookies.map((value) => `Cookie: ${value}`),
    ...identity.authorization.map((value) => `Authorization: ${value}`),
    ...identity.tenant.map((value) => `X-Tenant: ${value}`),
    ...identity.region.map((value) => `X-REGION: ${value}`),
    ...identity.tokens,
    ...identity.odd,
  ];
}

function pool(dimension: Dimension): readonly Identity[Dimension][] {
  return POOLS[dimension];
}
