import type { HtmlDocument, HtmlElement, HtmlNode } from './parse-html.ts';
import { parseHtml } from './parse-html.ts';

/**
 * The elements of an HTML page that differ between two versions of it, the smallest there are, as
 * elements of the later one.
 *
 * An element differs when its own text or its attributes do, or when other elements are in it.
 *
 * @returns `undefined` when one is nested too deeply.
 */
export function htmlDifferences(before: string, after: string): HtmlDifferences | undefined {
  const [old, page] = [parseHtml(before), parseHtml(after)];
  if (!old || !page) return undefined;
  const differing = new Set<HtmlElement>();
  compare(old, page, differing);
  return { old, page, differing };
}

/** Two versions of a page, and what differs. */
export interface HtmlDifferences {
  readonly old: HtmlDocument;
  readonly page: HtmlDocument;
  readonly differing: ReadonlySet<HtmlElement>;
}

/** The elements in an element, one level below. */
export function elementsIn(parent: { readonly children: readonly HtmlNode[] }): HtmlElement[] {
  return parent.children.filter((node): node is HtmlElement => 'attribs' in node);
}

function compare(
  old: HtmlDocument | HtmlElement,
  page: HtmlDocument | HtmlElement,
  differing: Set<HtmlElement>,
): void {
  const [before, after] = [elementsIn(old), elementsIn(page)];
  const areAlike =
    ownText(old) === ownText(page) &&
    before.length === after.length &&
    before.every((element, index) => element.name === after[index]?.name);
  if (!areAlike) {
    if ('attribs' in page) differing.add(page);
    return;
  }
  for (const [index, element] of after.entries()) {
    const twin = before[index];
    if (!twin) continue;
    if (attributesOf(twin) === attributesOf(element)) compare(twin, element, differing);
    else differing.add(element);
  }
}

function ownText(parent: HtmlDocument | HtmlElement): string {
  const texts = parent.children.map((node) =>
    node.nodeType === 3 && 'data' in node ? node.data : ' ',
  );
  return texts.join('').replace(/\s+/g, ' ').trim();
}

function attributesOf(element: HtmlElement): string {
  return JSON.stringify(Object.entries(element.attribs));
}
