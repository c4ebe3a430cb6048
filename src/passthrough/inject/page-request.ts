import type { PathPattern } from '../../shared/path-pattern.ts';
import { matchesPattern, pathSegments } from '../../shared/path-pattern.ts';
import type { RawHeaders } from '../../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../../shared/raw-headers.ts';

/** A request that loads a page which is to get the script. */
export interface PageRequest {
  readonly pattern: PathPattern;
  /** Path and query as they were sent. */
  readonly target: string;
  /**
   * The browser says that it navigates: whatever HTML it gets becomes a document. Else it is told
   * by `Accept` alone, and may be a script that asks for a part of a page.
   */
  readonly isNavigation: boolean;
}

/** A request, as far as it says whether it loads a page. */
export interface AskedPage {
  readonly method: string;
  readonly headers: RawHeaders;
  readonly target: string;
}

const DESTINATIONS = /^(?:document|iframe|frame)$/i;

/** By these libraries say that a script asks, and for a part. */
const OF_SCRIPTS = ['x-requested-with', 'x-pjax', 'hx-request'];

/**
 * Does this request load a page that is to get the script?
 *
 * @param patterns - The most specific first.
 */
export function pageRequest(
  { method, headers, target }: AskedPage,
  patterns: readonly PathPattern[],
): PageRequest | undefined {
  // HEAD is told what GET would be told.
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  const destination = headerValue(headers, 'sec-fetch-dest');
  if (destination === undefined ? !seemsToNavigate(headers) : !DESTINATIONS.test(destination)) {
    return undefined;
  }
  // A part of a body cannot be changed: what begins or ends in it is not known.
  if (headerValue(headers, 'range') !== undefined) return undefined;
  const pattern = patternOf(target, patterns);
  if (!pattern) return undefined;
  // Over plain http browsers send no Sec-Fetch-Dest, but this one, with navigations only.
  const isUpgradable = headerValue(headers, 'upgrade-insecure-requests') === '1';
  return { pattern, target, isNavigation: destination !== undefined || isUpgradable };
}

/** The pattern of pages at this target. @param patterns - The most specific first. */
export function patternOf(
  target: string,
  patterns: readonly PathPattern[],
): PathPattern | undefined {
  // Here a second way to read a path does no harm, and sessions live in `;jsessionid=…`.
  const path = (target.split('?', 1)[0] ?? '').replace(/;[^/]*/g, '');
  const segments = pathSegments(path);
  return segments && patterns.find((pattern) => matchesPattern(pattern, segments));
}

function seemsToNavigate(headers: RawHeaders): boolean {
  const accepted = headerValues(headers, 'accept').flatMap(listItems);
  return (
    accepted.some((range) => /^text\/html\s*(?:;(?!.*\bq=0(?:\.0*)?\s*$)|$)/i.test(range)) &&
    OF_SCRIPTS.every((name) => headerValue(headers, name) === undefined)
  );
}
