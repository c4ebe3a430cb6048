import { createHash, hash } from 'node:crypto';
import type { Part } from '../config/part.ts';
import { charsetLabel, decodeText, isXml } from '../shared/charset.ts';
import { essence, isHtml, isJson } from '../shared/media-type.ts';
import type { CanonicalHtml } from './html-parts.ts';
import { htmlComparison } from './html-parts.ts';
import { canonicalJson } from './json-parts.ts';
import type { Compare, Paths } from './part-paths.ts';
import { canonicalXml } from './xml-parts.ts';

/** What counts as a change of an answer. It never says what is pushed: that is the whole answer. */
export interface Comparison {
  /** Only these parts count; everything when there are none for the type of an answer. */
  readonly select: readonly Part[];
  /** These parts do not count, also within those that are selected. */
  readonly ignore: readonly Part[];
  /** By what a document says, or also by how it is written. */
  readonly compare: Compare;
}

/**
 * A short text that is equal for two answers exactly when nothing that counts is different between
 * them. A part that is selected and not there is a value too: when it appears, that is a change.
 *
 * - JSON is compared as `canonicalJson` says, unless by `bytes` and without parts for it.
 * - XML and HTML are compared as they are, unless there are parts for them: `canonicalXml` and
 *   `htmlComparison` say how.
 * - Everything else is compared byte by byte, and so is what only calls itself JSON, and what is
 *   nested too deeply.
 *
 * Paths are for JSON and XML, selectors for HTML. Old software sends JSON as `text/html`,
 * `text/plain` or the like: where there are paths, a body of any type but JSON and XML that is an
 * object or array of JSON is compared as that.
 *
 * The type counts too, but of its parameters the charset alone, and that only of what is compared
 * byte by byte.
 *
 * @param comparison - Prepared on first use: give the same object for each answer of an endpoint.
 */
export function fingerprint(body: Buffer, contentType: string, comparison: Comparison): string {
  const plan = planOf(comparison);
  const form = plan.isPlain ? undefined : canonical(body, contentType, plan);
  const type = essence(contentType);
  if (form !== undefined) return digestOfText(`${form.kind} ${type}\n${form.text}`);
  const label = `bytes ${type} ${charsetLabel(contentType) ?? 'utf-8'}\n`;
  return createHash('sha1').update(label).update(body).digest('base64url');
}

/** A comparison, prepared. */
interface Plan {
  readonly compare: Compare;
  readonly paths: Paths;
  readonly hasPaths: boolean;
  readonly html: CanonicalHtml | undefined;
  /** Nothing but bytes ever counts. */
  readonly isPlain: boolean;
}

const plans = new WeakMap<Comparison, Plan>();

function planOf(comparison: Comparison): Plan {
  const known = plans.get(comparison);
  if (known) return known;
  const { compare } = comparison;
  const paths = { select: pathsOf(comparison.select), ignore: pathsOf(comparison.ignore) };
  const css = { select: selectorsOf(comparison.select), ignore: selectorsOf(comparison.ignore) };
  const hasPaths = paths.select.length + paths.ignore.length > 0;
  const hasSelectors = css.select.length + css.ignore.length > 0;
  const plan = {
    compare,
    paths,
    hasPaths,
    html: hasSelectors ? htmlComparison(css, compare) : undefined,
    isPlain: compare === 'bytes' && !hasPaths && !hasSelectors,
  };
  plans.set(comparison, plan);
  return plan;
}

function pathsOf(parts: readonly Part[]): (readonly string[])[] {
  return parts.flatMap((part) => (part.kind === 'path' ? [part.segments] : []));
}

function selectorsOf(parts: readonly Part[]): string[] {
  return parts.flatMap((part) => (part.kind === 'css' ? [part.selector] : []));
}

/** What counts of a document, as text; `undefined` when its bytes count. */
function canonical(
  body: Buffer,
  contentType: string,
  { compare, paths, hasPaths, html }: Plan,
): { readonly kind: string; readonly text: string } | undefined {
  if (isJson(contentType)) {
    if (compare === 'bytes' && !hasPaths) return undefined;
    return read(body, contentType, 'json', (text) => canonicalJson(text, paths, compare));
  }
  if (hasPaths && isXml(contentType)) {
    return read(body, contentType, 'xml', (text) => canonicalXml(text, paths, compare));
  }
  if (hasPaths && looksLikeJson(body)) {
    const json = read(body, contentType, 'json', (text) => canonicalJson(text, paths, compare));
    if (json) return json;
  }
  return html && isHtml(contentType) ? read(body, contentType, 'html', html) : undefined;
}

function read(
  body: Buffer,
  contentType: string,
  kind: string,
  canonicalOf: (text: string) => string | undefined,
): { readonly kind: string; readonly text: string } | undefined {
  const decoded = decodeText(body, contentType);
  // What is broken in a text says nothing about its parts. Byte by byte nothing of it is lost.
  const text = canonicalOf(decoded ?? body.toString('latin1'));
  if (text === undefined) return undefined;
  return { kind: decoded === undefined ? `${kind} of bytes` : kind, text };
}

/** Does the first character that is no whitespace, behind a byte order mark, begin an object? */
function looksLikeJson(body: Buffer): boolean {
  let at = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += 1;
  return body[at] === 0x7b || body[at] === 0x5b;
}

/** In UTF-8 every half of a surrogate pair is the same character. */
function digestOfText(text: string): string {
  const content = /[\ud800-\udfff]/.test(text) ? Buffer.from(text, 'utf16le') : text;
  return hash('sha1', content, 'base64url');
}
