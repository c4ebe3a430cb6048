/*
 * For pages that are live themselves: a page is changed into
 * what the server has now without loading it again. Three pages meet: the one that the server sent
 * before, the one that it has now, and the one that is shown, with what the user and the page's own
 * scripts have made of it. Only what differs between the first two is changed in the third.
 */
import { align } from './align.ts';
import { changePart } from './change.ts';
import { isBeingEdited, lookAtForms } from './fields.ts';
import { guess } from './guess.ts';
import { hasFrames, hasNewLoad, loadsOf } from './loads.ts';
import { match } from './match.ts';
import { parse } from './parse.ts';
import type { Part, Read } from './parts.ts';
import { read, settle, standFor } from './parts.ts';

/** Why a page has to be loaded again. */
export type ReloadReason =
  /** No page, or no parsing of it: trusted types without a policy for it. */
  | 'unparsable'
  /** A frameset. */
  | 'frames'
  /** There are scripts, data for scripts, a policy or a nonce that the page was not loaded with. */
  | 'script'
  /** Scripts have put something else in the place of what the server changed. */
  | 'lost'
  /** It is not known what the server sent before, and the page has what the next one has not. */
  | 'unknown'
  /** The page's policy or an oddity of the browser was against it, half-way. */
  | 'failed';

/** What came of it. */
export interface MorphResult {
  /** How many texts, attributes and nodes were changed; 0 with `reload`. */
  readonly changed: number;
  /** Only a load shows the next page. Nothing was changed, except with `failed`. */
  readonly reload?: true;
  readonly reason?: ReloadReason;
  /** With `reload`: it would take from the user what is being written. */
  readonly isEdited?: boolean;
}

/** The page as the server sent it last, and what stands for it in the shown page. */
interface Known {
  readonly text: string;
  readonly page: Part;
  /** What the page was read from, unless it was not shown as a whole. */
  readonly source: Document | undefined;
  readonly loads: readonly string[];
}

let known: Known | undefined;

/**
 * Change the shown page from one state to the next.
 *
 * @param next - The page as the server sends it now.
 * @param previous - The page as the server sent it before: the `next` of the last call that was no
 * `reload`, or what the shown page was loaded from; `undefined` where that is not known.
 * @returns With `reload`: load the page again, no more often than it would have done so by itself.
 */
export function morph(
  next: string,
  previous: string | undefined,
  { contentType }: { contentType: string },
): MorphResult {
  if (next === previous) return { changed: 0 };
  try {
    return morphOnce(next, previous, contentType);
  } catch {
    // Half of it may be done: what stands for what is not known any more, and a load puts all right.
    known = undefined;
    return reload('failed');
  }
}

function morphOnce(next: string, previous: string | undefined, contentType: string): MorphResult {
  const source = parse(next, contentType);
  if (!source) return reload('unparsable');
  if (hasFrames(source) || hasFrames(document)) return reload('frames');
  const former = knownPage(previous, contentType);
  const after = read(source.documentElement, former && readOf(former));
  const before = former ?? guessedPage(after);
  if (!before) return reload(previous === undefined ? 'unknown' : 'unparsable');
  const loads = loadsOf(source);
  if (hasNewLoad(before.loads, loads)) return reload('script');
  if (before.page.kind !== after.kind || match(before.page, after) === 'lost')
    return reload('lost');
  const editing = lookAtForms(document);
  const change = { page: document, editing, count: 0, isHeldBack: false };
  const page = changePart(before.page, after, change);
  known = { text: next, page, loads, source: change.isHeldBack ? undefined : comparable(source) };
  settle(page);
  return { changed: change.count };
}

function knownPage(previous: string | undefined, contentType: string): Known | undefined {
  if (known && (previous === undefined || previous === known.text)) return known;
  if (previous === undefined) return undefined;
  const source = parse(previous, contentType);
  if (!source) return undefined;
  const page = read(source.documentElement);
  known = { text: previous, page, loads: loadsOf(source), source: comparable(source) };
  align(page, read(document.documentElement, readOf(known)));
  settle(page);
  return known;
}

/** Browsers do not look into templates when they compare nodes. */
function comparable(source: Document): Document | undefined {
  return source.getElementsByTagName('template').length ? undefined : source;
}

function readOf({ page, source }: Known): Read | undefined {
  return source && { part: page, node: source.documentElement };
}

function guessedPage(after: Part): Known | undefined {
  const page = read(document.documentElement);
  standFor(document.documentElement, page);
  if (guess(page, after) === 'unknown') return undefined;
  return { text: '', page, loads: loadsOf(document), source: undefined };
}

function reload(reason: ReloadReason): MorphResult {
  return { changed: 0, reload: true, reason, isEdited: isBeingEdited(document) };
}
