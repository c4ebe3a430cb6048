import type { HtmlDifferences } from './html-differences.ts';
import { elementsIn } from './html-differences.ts';
import type { HtmlDocument, HtmlElement } from './parse-html.ts';

/**
 * CSS selectors of the elements that differ between two versions of a page, as few as possible.
 *
 * An element is named by its id; by a class, if most elements of that class differ; else by the way
 * to it from the nearest element with an id, or from the root. Where the same part of several
 * neighbours differs, as in a column of a table, one selector names it in all of them.
 */
export function differingSelectors({ old, page, differing }: HtmlDifferences): string[] {
  const names = { old: countNames(old), page: countNames(page), differing: countNames(differing) };
  const selectors = new Set<string>();
  const ways = new Map<string, Way[]>();
  let found = 0;
  for (const element of differing) {
    const name = idOf(element, names) ?? classOf(element, names);
    if (name !== undefined) {
      selectors.add(name);
      continue;
    }
    if (found === MAX_WAYS) continue;
    found += 1;
    const { anchor, way } = wayTo(element, names);
    if (isEverything(anchor, way)) continue;
    const others = ways.get(anchor) ?? [];
    ways.set(anchor, others);
    others.push(way);
  }
  for (const [anchor, all] of ways) {
    for (const way of merged(all)) selectors.add(written(anchor, way));
  }
  return [...selectors];
}

/** One level: an element of this name, which of its kind if there are several. */
interface Step {
  readonly tag: string;
  readonly nth: number | undefined;
}
type Way = readonly Step[];

/** To find the way, all neighbours on it are looked at. */
const MAX_WAYS = 1_000;

/** How often each selector of an id or a class would match. */
type Counts = ReadonlyMap<string, number>;
interface Names {
  readonly old: Counts;
  readonly page: Counts;
  readonly differing: Counts;
}

function countNames(where: HtmlDocument | Iterable<HtmlElement>): Counts {
  const counts = new Map<string, number>();
  const count = (element: HtmlElement) => {
    for (const name of [idSelector(element), ...classSelectors(element)]) {
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  const countAll = (parent: HtmlDocument | HtmlElement) => {
    for (const element of elementsIn(parent)) {
      count(element);
      countAll(element);
    }
  };
  if ('children' in where) countAll(where);
  else for (const element of where) count(element);
  return counts;
}

const IDENTIFIER = /^-?[A-Za-z_][\w-]*$/;

function idSelector(element: HtmlElement): string | undefined {
  const id = element.attribs['id'];
  if (!id || /[\n\r\f\0]/.test(id)) return undefined;
  return IDENTIFIER.test(id) ? `#${id}` : `[id="${id.replace(/["\\]/g, '\\$&')}"]`;
}

function classSelectors(element: HtmlElement): string[] {
  const classes = new Set(element.attribs['class']?.split(/[ \t\n\f\r]+/));
  const tag = element.name;
  if (!IDENTIFIER.test(tag)) return [];
  return [...classes].filter((name) => IDENTIFIER.test(name)).map((name) => `${tag}.${name}`);
}

/** An id that no other element has, and that was there before: some are new each time. */
function idOf(element: HtmlElement, { old, page }: Names): string | undefined {
  const id = idSelector(element);
  return id !== undefined && old.get(id) === 1 && page.get(id) === 1 ? id : undefined;
}

function classOf(element: HtmlElement, { old, page, differing }: Names): string | undefined {
  const share = (name: string) => (differing.get(name) ?? 0) / (page.get(name) ?? 1);
  return classSelectors(element)
    .filter((name) => old.has(name) && share(name) >= 0.5)
    .sort((a, b) => share(b) - share(a))[0];
}

function wayTo(element: HtmlElement, names: Names): { anchor: string; way: Way } {
  const steps: Step[] = [];
  let here = element;
  for (;;) {
    steps.unshift(stepTo(here));
    const above = here.parent;
    if (!above || !('attribs' in above)) return { anchor: '', way: steps };
    const id = idOf(above, names);
    // An id with a number names one of many, as a row: the way has to go through all of them.
    if (id !== undefined && !/\d/.test(id)) return { anchor: id, way: steps };
    here = above;
  }
}

function stepTo(element: HtmlElement): Step {
  const { name, parent } = element;
  const kind = (parent && 'children' in parent ? elementsIn(parent) : []).filter(
    (sibling) => sibling.name === name,
  );
  return { tag: name, nth: kind.length > 1 ? kind.indexOf(element) + 1 : undefined };
}

/** To ignore the only element of the page, or its body, is to ignore everything. */
function isEverything(anchor: string, way: Way): boolean {
  const [root, second, ...rest] = way;
  if (anchor !== '' || root?.nth !== undefined || rest.length > 0) return false;
  return second === undefined || (root?.tag === 'html' && second.tag === 'body');
}

/** Ways that differ in nothing but the number of one neighbour become one way through all of them. */
function merged(ways: readonly Way[]): Way[] {
  const byStep = groupBy(ways, ([step]) => JSON.stringify(step));
  const all = [...byStep.values()].flatMap((group): Way[] => {
    const step = group[0]?.[0];
    return step ? merged(group.map((way) => way.slice(1))).map((rest) => [step, ...rest]) : [[]];
  });
  const alike = groupBy(all, ([step, ...rest]) => JSON.stringify([step?.tag, rest]));
  return [...alike.values()].flatMap(([way = [], ...others]): Way[] => {
    const [step, ...rest] = way;
    return step && others.length > 0 ? [[{ tag: step.tag, nth: undefined }, ...rest]] : [way];
  });
}

function groupBy(ways: readonly Way[], keyOf: (way: Way) => string): Map<string, Way[]> {
  const groups = new Map<string, Way[]>();
  for (const way of ways) {
    const key = keyOf(way);
    const group = groups.get(key);
    if (group) group.push(way);
    else groups.set(key, [way]);
  }
  return groups;
}

function written(anchor: string, way: Way): string {
  const steps = way.map(({ tag, nth }) => (nth === undefined ? tag : `${tag}:nth-of-type(${nth})`));
  if (anchor !== '') return [anchor, ...steps].join(' > ');
  // There is one head and one body; of a page without them, the first step is any top element.
  if (way[0]?.tag === 'html' && way.length > 1) return steps.slice(1).join(' > ');
  return [`${steps[0]?.replace(/^[^:]*/, '$&:root')}`, ...steps.slice(1)].join(' > ');
}
