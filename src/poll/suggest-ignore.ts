import { part } from '../config/part.ts';
import { decodeText, isXml } from '../shared/charset.ts';
import { isHtml, isJson } from '../shared/media-type.ts';
import { quoteNumbers } from './exact-numbers.ts';
import { htmlDifferences } from './html-differences.ts';
import { differingSelectors } from './html-selectors.ts';
import { MAX_LEVELS } from './part-paths.ts';
import type { Pattern, Place } from './places.ts';
import { createPlace, differingPatterns } from './places.ts';
import { xmlPlaces } from './xml-places.ts';

/** A person is to read them, and to judge each. */
const MAX_SUGGESTIONS = 20;

/**
 * Which parts of an answer change by themselves, from two answers that were taken a moment apart:
 * entries for the config's `ignore`, as JSON texts to paste, at most 20.
 *
 * There are none where nothing changed that could be named: bytes, the whole document, the order of
 * things.
 */
export function suggestIgnore(
  before: Buffer,
  after: Buffer,
  contentType: string,
): readonly string[] {
  if (before.equals(after)) return [];
  const texts: Texts = [readText(before, contentType), readText(after, contentType)];
  return entriesFor(texts, contentType)
    .filter((entry) => part.safeParse(entry).success)
    .slice(0, MAX_SUGGESTIONS)
    .map((entry) => JSON.stringify(entry));
}

type Texts = readonly [before: string, after: string];
type Entry = string | { readonly css: string };

function entriesFor(texts: Texts, contentType: string): Entry[] {
  if (isXml(contentType)) return paths(xmlPlaces(...texts)).filter(isBelowRoot);
  const places = jsonPlaces(texts);
  // Old software calls JSON text or HTML. A number is JSON too, but only where it says so.
  if (places && (isJson(contentType) || places.children.size > 0)) return paths(places);
  const differences = isHtml(contentType) ? htmlDifferences(...texts) : undefined;
  return differences ? differingSelectors(differences).map((css) => ({ css })) : [];
}

function readText(body: Buffer, contentType: string): string {
  return decodeText(body, contentType) ?? body.toString('latin1');
}

function paths(root: Place | undefined): string[] {
  return root ? differingPatterns(root).map(pointer) : [];
}

/** RFC 6901 §3: in this order. */
function pointer(pattern: Pattern): string {
  return pattern.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** To ignore the root element is to ignore everything. */
function isBelowRoot(path: string): boolean {
  return path.indexOf('/', 1) !== -1;
}

/** The places of two JSON documents, or `undefined` when one is none. */
function jsonPlaces(texts: Texts): Place | undefined {
  try {
    const [before, after] = texts.map(
      (text) => JSON.parse(quoteNumbers(text, 'inexact')) as unknown,
    );
    return placeOf(before, after, 0);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function placeOf(before: unknown, after: unknown, depth: number): Place {
  const isList = Array.isArray(before);
  const place = createPlace(isList);
  if (!isObject(before) || !isObject(after) || isList !== Array.isArray(after)) {
    place.differs = before !== after;
    return place;
  }
  // Nobody can name what is deeper.
  if (depth === MAX_LEVELS) return place;
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const isInBoth = Object.hasOwn(before, name) && Object.hasOwn(after, name);
    const child = isInBoth
      ? placeOf(before[name], after[name], depth + 1)
      : { ...createPlace(), differs: true };
    place.children.set(name, child);
  }
  return place;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
