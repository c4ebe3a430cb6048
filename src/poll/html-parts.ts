import { compile, selectAll } from 'css-select';
import * as domutils from 'domutils';
import { MarkupWriter } from './markup-writer.ts';
import type { HtmlDocument, HtmlElement, HtmlNode } from './parse-html.ts';
import { parseHtml } from './parse-html.ts';
import type { Compare } from './part-paths.ts';

/** CSS selectors of the elements that are compared. */
export interface Selectors {
  /** What counts; everything when empty. */
  readonly select: readonly string[];
  /** What does not count. */
  readonly ignore: readonly string[];
}

/** Gives what counts of an HTML document, or `undefined` for one that cannot be looked into. */
export type CanonicalHtml = (text: string) => string | undefined;

/**
 * Make what gives the text of what counts of an HTML document: the same for two documents exactly
 * when that is the same, `undefined` for a document that is nested deeper than `MAX_LEVELS`, or in
 * which the selectors take too long.
 *
 * What is ignored is taken out, also of what is selected. What is selected is compared in the order
 * of the document. `MarkupWriter` says what else does not count.
 */
export function htmlComparison(selectors: Selectors, compare: Compare): CanonicalHtml {
  const [select, ignore] = [selectors.select.map(finder), selectors.ignore.map(finder)];
  return (text) => {
    const document = parseHtml(text);
    if (!document) return undefined;
    try {
      const ignored = new Set<HtmlNode>(ignore.flatMap((find) => find(document)));
      if (select.length === 0) return writtenWhole(document, ignored, compare);
      return select
        .map((find) => writtenEach(outermost(find(document), ignored), ignored, compare))
        .join('\n');
    } catch (error) {
      if (error instanceof TooLong) return undefined;
      throw error;
    }
  };
}

/**
 * SECURITY: `:nth-child`, `~` and their like go through all siblings of an element, for each
 * element: in a table of very many rows that would take seconds. So many they may look at.
 */
const MAX_SIBLINGS = 30_000_000;

class TooLong extends Error {}

function finder(selector: string): (document: HtmlDocument) => HtmlElement[] {
  let siblings = 0;
  const getSiblings = (node: HtmlNode): HtmlNode[] => {
    const all = domutils.getSiblings(node) as HtmlNode[];
    siblings += all.length;
    if (siblings > MAX_SIBLINGS) throw new TooLong();
    return all;
  };
  const isTag = (node: HtmlNode): node is HtmlElement => 'attribs' in node;
  const adapter = { ...domutils, isTag, getSiblings };
  const matches = compile<HtmlNode, HtmlElement>(selector, { adapter });
  return (document) => {
    siblings = 0;
    // Of a list, each node would be compared with all others: the document is no list.
    return selectAll<HtmlNode, HtmlElement>(matches, document, { adapter });
  };
}

function writtenWhole(
  document: HtmlDocument,
  ignored: ReadonlySet<HtmlNode>,
  compare: Compare,
): string {
  const writer = new MarkupWriter(compare);
  for (const node of document.children) write(node, ignored, writer);
  return writer.toString();
}

function writtenEach(
  elements: Iterable<HtmlElement>,
  ignored: ReadonlySet<HtmlNode>,
  compare: Compare,
): string {
  const writer = new MarkupWriter(compare);
  for (const element of elements) {
    writer.begin('');
    write(element, ignored, writer);
    writer.end();
  }
  return writer.toString();
}

/**
 * Elements that lie in no other of them, which would be written once for each level, and in nothing
 * that is ignored.
 */
function* outermost(
  elements: readonly HtmlElement[],
  ignored: ReadonlySet<HtmlNode>,
): Iterable<HtmlElement> {
  const all = new Set<unknown>(elements);
  for (const element of elements) {
    let above: HtmlElement['parent'] = element.parent;
    while (above && !all.has(above) && !ignored.has(above as HtmlNode)) above = above.parent;
    if (!above && !ignored.has(element)) yield element;
  }
}

function write(node: HtmlNode, ignored: ReadonlySet<HtmlNode>, writer: MarkupWriter): void {
  if (ignored.has(node)) return;
  if ('attribs' in node) {
    writer.open(node.name, Object.entries(node.attribs));
    for (const child of node.children) write(child, ignored, writer);
    writer.close();
  } else if ('children' in node) for (const child of node.children) write(child, ignored, writer);
  else if (node.nodeType === 3) writer.text(node.data);
  else if (node.nodeType === 8) writer.comment(node.data);
  else writer.instruction(node.data);
}
