import type { PageEdit } from '../../src/passthrough/inject/page-edit.ts';
import { applyEdits, PageEditor } from '../../src/passthrough/inject/page-editor.ts';
import type { PageOptions } from '../../src/passthrough/inject/page-edits.ts';
import { PageEdits } from '../../src/passthrough/inject/page-edits.ts';
import { inPieces } from '../rewriting/in-pieces.ts';

/** Stands for the tags: a script that a parser can find. */
export const TAGS = '<script src="/_comet/client.js"></script>';

/** What becomes of a page unless a test says otherwise. */
export const NAVIGATION: PageOptions = {
  isXml: false,
  becomes: 'document-with-tags',
  ownRefresh: undefined,
};

/** A page that comes in pieces, cut at these places; `|` stands for the tags in what comes out. */
export function edited(
  page: string,
  options: Partial<PageOptions> = {},
  cuts: readonly number[] = [],
): string {
  const editor = new PageEditor('|', { ...NAVIGATION, ...options }, () => undefined);
  return inPieces(editor, page, cuts);
}

/** What is changed in a page that comes as a whole. */
export function editsOf(page: string, options: Partial<PageOptions> = {}): PageEdit[] {
  const edits = new PageEdits({ ...NAVIGATION, ...options });
  edits.write(page);
  edits.end();
  return edits.take();
}

/** The page with a real script tag in it, or `undefined` where it gets none. */
export function withScript(page: string, options: Partial<PageOptions> = {}): string | undefined {
  const edits = editsOf(page, options);
  return edits.length === 0 ? undefined : applyEdits(page, 0, edits, TAGS);
}
