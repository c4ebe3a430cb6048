/** A text that is put into a page. */
export interface PageEdit {
  /** In characters from the beginning of the page. */
  readonly at: number;
  readonly text: 'tags' | '<noscript>' | '</noscript>';
}

/**
 * Looks for what is to be changed in a page that comes in pieces. Texts are latin1: one character is
 * one byte, whatever the charset.
 */
export interface EditFinder {
  write(piece: string): void;
  /** There are no more pieces. */
  end(): void;
  /** From here on there may still be something to change; no less than before. */
  readonly openFrom: number;
  /** What was found since the last call, in order. */
  takeEdits(): PageEdit[];
}

/** So much of a page is looked at, at most. */
export const MAX_LOOKED_AT = 2 * 1_024 * 1_024;
