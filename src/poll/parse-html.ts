import { DomHandler, Parser } from 'htmlparser2';
import { MAX_LEVELS, TooDeep, unlessTooDeep } from './part-paths.ts';

export type HtmlDocument = DomHandler['root'];
export type HtmlNode = HtmlDocument['children'][number];
export type HtmlElement = Extract<HtmlNode, { readonly attribs: unknown }>;

/**
 * Read an HTML document roughly as browsers do: names in lower case, end tags that may be missing,
 * scripts as text.
 *
 * @returns `undefined` for a document that is nested deeper than `MAX_LEVELS`.
 */
export function parseHtml(text: string): HtmlDocument | undefined {
  return unlessTooDeep(() => {
    const handler = new LevelledHandler();
    new Parser(handler).end(text);
    return handler.root;
  });
}

class LevelledHandler extends DomHandler {
  #proto: string | undefined;

  onattribute(name: string, value: string): void {
    if (name === '__proto__') this.#proto = value;
  }

  override onopentag(name: string, attributes: Record<string, string>): void {
    // SECURITY: the parser looks through all open elements at every end tag.
    if (this.tagStack.length > MAX_LEVELS) throw new TooDeep();
    // The parser assigns to a plain object: an attribute of this name would not count.
    if (this.#proto !== undefined) {
      const descriptor = { value: this.#proto, enumerable: true };
      Object.defineProperty(attributes, '__proto__', descriptor);
      this.#proto = undefined;
    }
    super.onopentag(name, attributes);
  }
}
