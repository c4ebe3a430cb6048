import { parseCursor } from '../protocol/cursor.ts';
import { PARAMETERS } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import { redactUrl } from '../shared/logger.ts';

/** What a client asks for on `/_comet/<transport>`. */
export interface StreamQuery {
  readonly wanted: readonly { readonly target: string; readonly since: string | undefined }[];
  readonly paddingBytes: number;
}

const MAX_PADDING_BYTES = 64 * 1_024;

/**
 * Read the query of `/_comet/<transport>?url=…&since=…&url=…`. Parameters that we do not know are
 * left alone: cache-busters come in many names.
 *
 * @param own - The origin that the client sees this site under, for absolute URLs.
 * @param maxUrls - How many URLs one stream may have.
 * @throws {ProxyError} `BAD_URL`, `BAD_PARAMETER`.
 */
export function parseStreamQuery(query: string, own: string, maxUrls: number): StreamQuery {
  const wanted: { target: string; since: string | undefined }[] = [];
  let paddingBytes = 0;
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === PARAMETERS.url) {
      wanted.push({ target: ownTarget(value, own), since: undefined });
    } else if (name === PARAMETERS.since) {
      const last = wanted.at(-1);
      if (!last) throw new ProxyError('BAD_PARAMETER', '"since" stands before its "url"');
      last.since = parseCursor(value);
    } else if (name === PARAMETERS.padding) {
      paddingBytes = Number(value);
      if (!/^\d+$/.test(value) || paddingBytes > MAX_PADDING_BYTES) {
        throw new ProxyError('BAD_PARAMETER', `"padding" must be 0 to ${MAX_PADDING_BYTES}`);
      }
    }
  }
  if (wanted.length === 0) throw new ProxyError('BAD_URL', 'no "url"');
  if (wanted.length > maxUrls) throw new ProxyError('BAD_PARAMETER', `more than ${maxUrls} "url"`);
  return { wanted, paddingBytes };
}

/** A request target of this site, from a path or from an absolute URL under our own origin. */
function ownTarget(url: string, own: string): string {
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
