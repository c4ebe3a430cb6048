const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = { object: 0x7b, array: 0x5b } as const;
const CLOSE = { object: 0x7d, array: 0x5d } as const;
const COLON = 0x3a;
const COMMA = 0x2c;

/** A text within an entry that is longer, such as a picture, is left out. */
const MAX_TEXT_BYTES = 256 * 1_024;
/** An entry that is longer all the same is not read. */
const MAX_ENTRY_BYTES = 4 * 1_024 * 1_024;

/**
 * The entries of a HAR (`log.entries`), each as its JSON text, while the file is read: one entry is
 * held at a time, and of it no text that is longer than any header. What is no entry is skipped.
 * `undefined` stands for an entry that is too long.
 */
export class HarEntries {
  readonly #maxTextBytes: number;
  readonly #maxEntryBytes: number;
  /** Open objects and arrays. */
  #depth = 0;
  #inText = false;
  #isEscaped = false;
  /** The last text outside of entries: a key, when a colon follows. */
  #text = '';
  /** The keys that lead to here, of the outermost two objects. */
  readonly #keys: string[] = [];
  #inEntries = false;
  /** Of the entry that is being read. */
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #inEntry = false;
  #isTooLong = false;
  /** How long the text is that is being read, and what was there before it. */
  #textBytes = 0;
  #before = { pieces: 0, bytes: 0 };
  #isWhole = false;

  constructor({ maxTextBytes = MAX_TEXT_BYTES, maxEntryBytes = MAX_ENTRY_BYTES } = {}) {
    this.#maxTextBytes = maxTextBytes;
    this.#maxEntryBytes = maxEntryBytes;
  }

  /** The document has come to its end. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Read on. @returns the entries that have ended in these bytes. */
  push(chunk: Uint8Array): (string | undefined)[] {
    const ended: (string | undefined)[] = [];
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#inText) {
        at = this.#endOfText(chunk, at);
        if (this.#inEntry && this.#textBytes > this.#maxTextBytes) {
          this.#dropText();
          from = at;
        }
        if (this.#inText) break;
        continue;
      }
      if (byte === QUOTE) {
        this.#inText = true;
        this.#textBytes = 0;
        this.#text = '';
        if (this.#inEntry) {
          this.#keep(chunk.subarray(from, at + 1));
          from = at + 1;
          this.#before = { pieces: this.#pieces.length, bytes: this.#bytes };
        }
        continue;
      }
      if (byte === OPEN.object || byte === OPEN.array) {
        if (this.#inEntries && this.#depth === 3 && byte === OPEN.object) {
          this.#inEntry = true;
          from = at;
        }
        this.#open(byte);
      } else if (byte === CLOSE.object || byte === CLOSE.array) {
        this.#close();
        if (this.#inEntry && this.#depth === 3) {
          this.#keep(chunk.subarray(from, at + 1));
          ended.push(this.#takeEntry());
        }
      } else if (!this.#inEntry && byte === COLON && this.#depth <= 2) {
        this.#keys[this.#depth - 1] = this.#text;
      } else if (!this.#inEntry && byte === COMMA && this.#depth <= 2) {
        this.#keys.length = Math.max(0, this.#depth - 1);
      }
    }
    if (this.#inEntry) this.#keep(chunk.subarray(from));
    return ended;
  }

  /** A text that is too long is an empty one. */
  #dropText(): void {
    if (this.#isTooLong) return;
    this.#pieces.length = this.#before.pieces;
    this.#bytes = this.#before.bytes;
  }

  /** Go on to the quote that ends a text. @returns where it is, or the end of the bytes. */
  #endOfText(chunk: Uint8Array, start: number): number {
    let at = start;
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === BACKSLASH) this.#isEscaped = true;
      else if (byte === QUOTE) {
        this.#inText = false;
        break;
      }
    }
    this.#textBytes += at - start;
    if (!this.#inEntry && this.#depth <= 2 && this.#text.length < 64) {
      this.#text += Buffer.from(chunk.subarray(start, at)).toString('latin1');
    }
    return at;
  }

  #open(byte: number): void {
    this.#depth += 1;
    const isEntries = byte === OPEN.array && this.#keys[0] === 'log' && this.#keys[1] === 'entries';
    if (this.#depth === 3 && isEntries) this.#inEntries = true;
  }

  #close(): void {
    this.#depth -= 1;
    if (this.#depth === 2) this.#inEntries = false;
    if (this.#depth === 0) this.#isWhole = true;
  }

  #keep(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxEntryBytes) {
      this.#isTooLong = true;
      this.#pieces = [];
    } else if (bytes.length > 0) this.#pieces.push(Uint8Array.from(bytes));
  }

  #takeEntry(): string | undefined {
    const text = this.#isTooLong ? undefined : Buffer.concat(this.#pieces).toString('utf8');
    this.#inEntry = false;
    this.#pieces = [];
    this.#bytes = 0;
    this.#isTooLong = false;
    return text;
  }
}
