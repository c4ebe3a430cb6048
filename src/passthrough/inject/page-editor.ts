import type { TextStep } from '../body-coding.ts';
import type { PageEdit } from './page-edit.ts';
import type { PageOptions } from './page-edits.ts';
import { PageEdits } from './page-edits.ts';

/**
 * Puts the script into a page that comes in pieces, wherever the pieces are cut. Everything else
 * stays as it is, and goes on as soon as it cannot be a place any more.
 */
export class PageEditor implements TextStep {
  readonly #tags: string;
  readonly #edits: PageEdits;
  #onPlace: ((hasPlace: boolean) => void) | undefined;
  /** What is held back, and where it begins. */
  #text = '';
  #textFrom = 0;
  #isDone = false;

  /** @param onPlace - Called once when it is known whether there is a place for the tags. */
  constructor(tags: string, options: PageOptions, onPlace: (hasPlace: boolean) => void) {
    this.#tags = tags;
    this.#edits = new PageEdits(options);
    this.#onPlace = onPlace;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  write(piece: string): string {
    if (this.#isDone) return piece;
    this.#text += piece;
    this.#edits.write(piece);
    return this.#release();
  }

  end(): string {
    if (this.#isDone) return '';
    this.#edits.end();
    return this.#release();
  }

  #release(): string {
    const { openFrom, hasPlace } = this.#edits;
    if (hasPlace !== undefined) {
      this.#onPlace?.(hasPlace);
      this.#onPlace = undefined;
    }
    this.#isDone = openFrom === Number.POSITIVE_INFINITY;
    const length = Math.min(openFrom - this.#textFrom, this.#text.length);
    const known = this.#text.slice(0, length);
    const output = applyEdits(known, this.#textFrom, this.#edits.take(), this.#tags);
    this.#text = this.#text.slice(length);
    this.#textFrom += length;
    return output;
  }
}

/**
 * A text with these edits.
 *
 * @param from - Where it begins in the page.
 */
export function applyEdits(
  text: string,
  from: number,
  edits: readonly PageEdit[],
  tags: string,
): string {
  let output = '';
  let done = 0;
  for (const edit of edits) {
    const at = edit.at - from;
    output += text.slice(done, at) + (edit.text === 'tags' ? tags : edit.text);
    done = at;
  }
  return output + text.slice(done);
}
