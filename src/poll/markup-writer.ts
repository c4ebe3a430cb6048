import type { Compare } from './part-paths.ts';
import { quoted } from './quoted.ts';

/**
 * Writes what counts of a document of elements as a text that is the same for two documents exactly
 * when that is.
 *
 * With `value`, comments, the order of attributes and whitespace that stands alone between two tags
 * do not count; with `bytes` they do. How tags and entities are spelled never counts.
 */
export class MarkupWriter {
  readonly #compare: Compare;
  #written = '';
  /** Text since the last tag: it is one, also where something was taken out of its middle. */
  #text = '';

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  open(name: string, attributes: readonly Attribute[]): void {
    this.#endText();
    const all = attributes.map(([key, value]) => ` ${quoted(key)}${quoted(value)}`);
    if (this.#compare === 'value') all.sort();
    this.#written += `<${quoted(name)}${all.join('')}>`;
  }

  close(): void {
    this.#endText();
    this.#written += '/';
  }

  text(data: string): void {
    this.#text += data;
  }

  comment(data: string): void {
    if (this.#compare === 'value') return;
    this.#endText();
    this.#written += `-${quoted(data)}`;
  }

  /** A document type or a processing instruction. */
  instruction(data: string): void {
    this.#endText();
    this.#written += `!${quoted(data)}`;
  }

  /** From here to `end` goes one selected thing, which was found on this way. */
  begin(way: string): void {
    this.#written += `(${quoted(way)}`;
  }

  end(): void {
    this.#endText();
    this.#written += ')';
  }

  toString(): string {
    this.#endText();
    return this.#written;
  }

  #endText(): void {
    const text = this.#text;
    if (text === '') return;
    this.#text = '';
    if (this.#compare === 'value' && WHITESPACE.test(text)) return;
    this.#written += `"${quoted(text)}`;
  }
}

/** Name and value. */
export type Attribute = readonly [name: string, value: string];

/** What HTML and XML call whitespace; a no-break space is not. */
const WHITESPACE = /^[ \t\n\f\r]*$/;
