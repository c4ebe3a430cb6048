import fc from 'fast-check';

/** A JSON document whose scalars are kept as they are written. */
export type JsonTree =
  | { readonly token: string }
  | { readonly items: readonly JsonTree[] }
  | { readonly members: readonly (readonly [name: string, value: JsonTree])[] };

/** The way to a value: names of members and indices of items. */
export type Way = readonly (string | number)[];

const names = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '/', '~', '~1', 'a/b', '0', '17', '@a', 'é', '"', '\\', '\u0001'),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'toJSON', 'length', 'then', '\ud800'),
  fc.string({ minLength: 1, maxLength: 3 }),
);

const digits = fc
  .array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 })
  .map((all) => all.join('').replace(/^0+(?=\d)/, ''));
const fractions = fc.option(
  digits.map((all) => `.${all}`),
  { nil: '' },
);
const powers = fc.option(
  fc.integer({ min: -400, max: 400 }).map((n) => `e${n}`),
  { nil: '' },
);

/** Scalars, numbers of any length among them. */
const tokens = fc.oneof(
  fc.constantFrom('true', 'false', 'null', '0', '-1', '9007199254740993', '""', '"\\u00011"'),
  fc.string({ unit: 'binary', maxLength: 5 }).map((text) => JSON.stringify(text)),
  fc.tuple(fc.constantFrom('', '-'), digits, fractions, powers).map((pieces) => pieces.join('')),
);

/** Any document. */
export const jsonTrees = fc.letrec<{ tree: JsonTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tokens.map((token) => ({ token })),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => ({ items })),
    fc
      .uniqueArray(fc.tuple(names, tie('tree')), { maxLength: 4, selector: ([name]) => name })
      .map((members) => ({ members })),
  ),
})).tree;

/** The text of a document. */
export function textOf(tree: JsonTree): string {
  if ('token' in tree) return tree.token;
  if ('items' in tree) return `[${tree.items.map(textOf).join(',')}]`;
  const members = tree.members.map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`);
  return `{${members.join(',')}}`;
}

/** The ways to all scalars of a document. */
export function leavesOf(tree: JsonTree, way: Way = []): Way[] {
  if ('token' in tree) return [way];
  if ('items' in tree) return tree.items.flatMap((item, index) => leavesOf(item, [...way, index]));
  return tree.members.flatMap(([name, value]) => leavesOf(value, [...way, name]));
}

/** The document with another value in this place. */
export function withChange(
  tree: JsonTree,
  way: Way,
  change: (value: JsonTree) => JsonTree,
): JsonTree {
  const [step, ...rest] = way;
  if (step === undefined) return change(tree);
  if ('items' in tree) {
    return { items: tree.items.map((v, i) => (i === step ? withChange(v, rest, change) : v)) };
  }
  if (!('members' in tree)) return tree;
  return {
    members: tree.members.map(
      ([n, v]) => [n, n === step ? withChange(v, rest, change) : v] as const,
    ),
  };
}

/** The document with the members of all objects in another order. */
export function shuffled(tree: JsonTree, random: () => number): JsonTree {
  if ('token' in tree) return tree;
  if ('items' in tree) return { items: tree.items.map((item) => shuffled(item, random)) };
  const members = tree.members
    .map(([name, value]) => ({ at: random(), member: [name, shuffled(value, random)] as const }))
    .sort((a, b) => a.at - b.at)
    .map(({ member }) => member);
  return { members };
}
