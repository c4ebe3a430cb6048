import type { DefaultTreeAdapterTypes } from 'parse5';
import { parse, serialize } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;

const TEXTUAL = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'plaintext']);

/** An element of a page. */
export interface TreeElement {
  readonly name: string;
  /** The name of the element around it. */
  readonly parent: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A page as a browser that runs scripts builds it. */
export class Tree {
  readonly #root: DefaultTreeAdapterTypes.Document;

  constructor(page: string) {
    this.#root = parse(page, { scriptingEnabled: true });
  }

  /** All elements in their order. */
  get elements(): TreeElement[] {
    const found: TreeElement[] = [];
    const visit = (node: Node, parent: string) => {
      if ('tagName' in node) {
        const attributes = Object.fromEntries(node.attrs.map(({ name, value }) => [name, value]));
        found.push({ name: node.tagName, parent, attributes });
      }
      const name = 'tagName' in node ? node.tagName : '';
      if ('childNodes' in node) for (const child of node.childNodes) visit(child, name);
    };
    visit(this.#root, '');
    return found;
  }

  /** What is text in comments, attributes, and elements in which nothing is a tag. */
  get texts(): string[] {
    const texts: string[] = [];
    const visit = (node: Node, parent: string) => {
      if ('data' in node) texts.push(node.data);
      if ('attrs' in node) texts.push(...node.attrs.map(({ value }) => value));
      if ('value' in node && TEXTUAL.has(parent)) texts.push(node.value);
      const name = 'tagName' in node ? node.tagName : '';
      if ('childNodes' in node) for (const child of node.childNodes) visit(child, name);
    };
    visit(this.#root, '');
    return texts.filter((text) => /meta/.test(text));
  }

  /**
   * All that can be seen of it or does something, without the elements that load this script: no
   * comments, no blanks, no attributes of the head.
   */
  without(src: string): string {
    const strip = (node: Node) => {
      if (!('childNodes' in node)) return;
      if (node.nodeName === 'head' && 'attrs' in node) node.attrs = [];
      node.childNodes = node.childNodes.filter(
        (child) =>
          child.nodeName !== '#comment' &&
          !('attrs' in child && child.attrs.some(({ value }) => value === src)),
      );
      for (const child of node.childNodes) strip(child);
    };
    strip(this.#root);
    return serialize(this.#root).replace(/\s+/g, '');
  }
}
