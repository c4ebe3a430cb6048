import { parseCursor } from '../protocol/cursor.ts';
import { PARAMETERS } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import { redactUrl } from '../shared/logger.ts';

/** A URL that a client wants to see, and the cursor that it has for it. */
export interface WantedUrl {
  readonly target: string;
  readonly since: string | undefined;
}

/**
 * Read `?url=…&since=…&url=…`. Other parameters are left alone.
 *
 * @param own - The origin that the client sees this site under, for absolute URLs.
 * @param maxUrls - How many URLs one stream may have.
 * @throws {ProxyError} `BAD_URL`, `BAD_PARAMETER`.
 */
export function parseWantedUrls(
  query: URLSearchParams,
  own: string,
  maxUrls: number,
): readonly WantedUrl[] {
  const wanted: { target: string; since: string | undefined }[] = [];
  for (const [name, value] of query) {
    if (name === PARAMETERS.url) {
      wanted.push({ target: ownTarget(value, own), since: undefined });
    } else if (name === PARAMETERS.since) {
      const last = wanted.at(-1);
      if (!last) throw new ProxyError('BAD_PARAMETER', '"since" stands before its "url"');
      last.since = parseCursor(value);
    }
  }
  if (wanted.length > maxUrls) throw new ProxyError('BAD_PARAMETER', `more than ${maxUrls} "url"`);
  return wanted;
}

/**
 * A request target of this site, from a path or from an absolute URL under our own origin.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function ownTarget(url: string, own: string): string {
  const host = own.slice(own.indexOf('//'));
  const lower = url.toLowerCase();
  const prefix = [own, host].find((start) => lower.startsWith(`${start}/`)) ?? '';
  const target = url.slice(prefix.length);
  // What is left of another origin's URL starts with "//" or with its scheme.
  if (
    !/^\/[\x21-\x7e]*$/.test(target) ||
    (prefix === '' && target.startsWith('//')) ||
    /[#\\]/.test(target)
  ) {
    throw new ProxyError(
      'BAD_URL',
      `not a URL of this site: ${JSON.stringify(redactUrl(url).slice(0, 200))}`,
    );
  }
  return target;
}
