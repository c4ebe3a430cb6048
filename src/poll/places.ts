/**
 * A place in two documents that are compared: a member, an item, an element. They are one tree, of
 * everything that is in either document.
 */
export interface Place {
  readonly children: Map<string, Place>;
  /** Its children have numbers in the place of names, as the items of an array. */
  readonly isList: boolean;
  /** All of it is different. */
  differs: boolean;
}

/** A place with nothing in it. */
export function createPlace(isList = false): Place {
  return { children: new Map(), isList, differs: false };
}

/** The way to places, level by level; `*` is every name. */
export type Pattern = readonly string[];

const MAX_PATTERNS = 500;

/** So many members of one object change by themselves: their names are data. */
const NAMES_ARE_DATA = 8;

/**
 * The ways to all places that differ, in the order of the document. Where several items of a list
 * differ, or the same part of several neighbours, one way leads to all of them, unless it leads to
 * more places that are the same.
 */
export function differingPatterns(root: Place): Pattern[] {
  // Each is compared with all others; nobody reads more of them.
  const all = patternsBelow(root, 0).slice(0, MAX_PATTERNS);
  return all.filter((one) => !all.some((other) => other !== one && covers(other, one)));
}

function patternsBelow(place: Place, depth: number): Pattern[] {
  if (place.differs) return [[]];
  const groups = new Map<string, { readonly names: string[]; readonly rest: Pattern }>();
  const differing = new Set<string>();
  for (const [name, child] of place.children) {
    for (const rest of patternsBelow(child, depth + 1)) {
      const key = JSON.stringify(rest);
      const group = groups.get(key) ?? { names: [], rest };
      groups.set(key, group);
      group.names.push(name);
      differing.add(name);
    }
  }
  return [...groups.values()].flatMap(({ names, rest }) => {
    const isOne = place.isList
      ? differing.size > 1
      : names.length > 1 && mostDiffer(place, names.length, rest, depth);
    return isOne ? [['*', ...rest]] : names.map((name) => [name, ...rest]);
  });
}

/** Would most of the places that `*` leads to differ? */
function mostDiffer(place: Place, differing: number, rest: Pattern, depth: number): boolean {
  if (rest.length === 0 && (depth === 0 || differing < NAMES_ARE_DATA)) return false;
  let found = 0;
  for (const child of place.children.values()) if (hasPlace(child, rest)) found += 1;
  return differing * 2 >= found;
}

function hasPlace(place: Place, [name, ...rest]: Pattern): boolean {
  if (name === undefined) return true;
  if (name !== '*') {
    const child = place.children.get(name);
    return child !== undefined && hasPlace(child, rest);
  }
  return [...place.children.values()].some((child) => hasPlace(child, rest));
}

/** Does one way lead to everything that another leads to? */
function covers(one: Pattern, other: Pattern): boolean {
  return one.length <= other.length && one.every((name, i) => name === '*' || name === other[i]);
}
