import type { PageEdit } from './page-edit.ts';
import type { PlaceOptions } from './place-finder.ts';
import { PlaceFinder } from './place-finder.ts';
import { RefreshFinder } from './refresh-finder.ts';

/** How a page is to be read. */
export interface PageOptions extends PlaceOptions {
  /** Its URL, if its refreshing by itself is to be left to the script. */
  readonly ownRefresh: URL | undefined;
}

const UTF8_MARK = '\xef\xbb\xbf';
const UTF16_MARKS = ['\xff\xfe', '\xfe\xff'];

/** Finds all that is to be changed in a page that comes in pieces of latin1. */
export class PageEdits {
  readonly #place: PlaceFinder;
  readonly #refresh: RefreshFinder | undefined;
  /** The beginning, while it may be a byte order mark. */
  #begin: string | undefined = '';
  /** Length of the mark, which no finder gets to see. */
  #markLength = 0;
  #isWide = false;

  constructor(options: PageOptions) {
    this.#place = new PlaceFinder(options);
    const { ownRefresh } = options;
    // In XML a `<noscript>` is for everybody.
    if (ownRefresh && !options.isXml) this.#refresh = new RefreshFinder(ownRefresh);
  }

  /** Is there a place for the script? `undefined` while nobody knows. */
  get hasPlace(): boolean | undefined {
    if (this.#isWide) return false;
    return this.#place.place === undefined ? undefined : this.#place.place !== 'none';
  }

  /** From here on there may still be something to change. */
  get openFrom(): number {
    if (this.hasPlace === false) return Number.POSITIVE_INFINITY;
    if (this.#begin !== undefined) return 0;
    const open = Math.min(
      this.#place.openFrom,
      this.#refresh?.openFrom ?? Number.POSITIVE_INFINITY,
    );
    return this.#markLength + open;
  }

  write(piece: string): void {
    if (this.#begin === undefined) return this.#look(piece);
    const text = this.#begin + piece;
    if (text.length < UTF8_MARK.length) {
      this.#begin = text;
      return;
    }
    this.#start(text);
  }

  end(): void {
    if (this.#begin !== undefined) this.#start(this.#begin);
    this.#refresh?.end();
    this.#place.end();
  }

  /** What was found since the last call, in order; nothing before the place of the script is known. */
  take(): PageEdit[] {
    if (this.hasPlace !== true) return [];
    const edits = [...this.#place.takeEdits(), ...(this.#refresh?.takeEdits() ?? [])];
    return edits.map(({ at, text }) => ({ at: at + this.#markLength, text }));
  }

  #start(text: string): void {
    this.#begin = undefined;
    this.#isWide = UTF16_MARKS.some((mark) => text.startsWith(mark));
    this.#markLength = text.startsWith(UTF8_MARK) ? UTF8_MARK.length : 0;
    this.#look(text.slice(this.#markLength));
  }

  #look(piece: string): void {
    if (this.hasPlace === false) return;
    this.#place.write(piece);
    this.#refresh?.write(piece);
  }
}
