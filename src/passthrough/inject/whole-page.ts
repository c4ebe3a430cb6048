import type { PageEdit } from './page-edit.ts';
import type { PageOptions } from './page-edits.ts';
import { PageEdits } from './page-edits.ts';

/** Ways to read one page that are kept; clients choose the queries by which they ask for it. */
const MAX_WAYS = 4;

interface Reading {
  /** `undefined` when there is no place for the script. */
  readonly edits: readonly PageEdit[] | undefined;
  /** What was made of it last. */
  made: { readonly tags: string; readonly body: Uint8Array } | undefined;
}

/**
 * Puts the script into pages that are there as a whole and are sent again and again: each is read once,
 * and what is made of it is kept for as long as it is.
 */
export class WholePages {
  readonly #readings = new WeakMap<Uint8Array, Map<string, Reading>>();

  /** @returns `undefined` when there is no place for the tags. */
  inject(page: Uint8Array, options: PageOptions, tags: string): Uint8Array | undefined {
    const reading = this.#readingOf(page, options);
    if (!reading.edits) return undefined;
    if (reading.made?.tags !== tags) {
      reading.made = { tags, body: withEdits(page, reading.edits, tags) };
    }
    return reading.made.body;
  }

  #readingOf(page: Uint8Array, options: PageOptions): Reading {
    const { isXml, becomes, ownRefresh } = options;
    const key = JSON.stringify([isXml, becomes, ownRefresh?.href]);
    const known = this.#readings.get(page) ?? new Map<string, Reading>();
    this.#readings.set(page, known);
    let reading = known.get(key);
    if (!reading) {
      reading = { edits: read(page, options), made: undefined };
      if (known.size >= MAX_WAYS) known.clear();
      known.set(key, reading);
    }
    return reading;
  }
}

function read(page: Uint8Array, options: PageOptions): readonly PageEdit[] | undefined {
  const edits = new PageEdits(options);
  edits.write(Buffer.from(page.buffer, page.byteOffset, page.byteLength).toString('latin1'));
  edits.end();
  return edits.hasPlace === true ? edits.take() : undefined;
}

function withEdits(page: Uint8Array, edits: readonly PageEdit[], tags: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { at, text } of edits) {
    pieces.push(page.subarray(from, at), Buffer.from(text === 'tags' ? tags : text, 'latin1'));
    from = at;
  }
  return Buffer.concat([...pieces, page.subarray(from)]);
}
