import type { SeenHeaders } from './seen.ts';

/** The value of a header, by its name in lower case. */
export type HeaderLookup = (name: string) => string | undefined;

const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'];
const MAX_COOKIES = 20;
const MAX_NAME = 60;

/** What the headers of an answer say of who may share it. */
export function readAnswerHeaders(
  response: HeaderLookup,
): Pick<SeenHeaders, 'setsCookie' | 'cacheControl' | 'variesOnCredentials'> {
  const cacheControl = response('cache-control') ?? '';
  const vary = response('vary');
  return {
    setsCookie: response('set-cookie') !== undefined,
    cacheControl: /\bprivate\b/i.test(cacheControl)
      ? 'private'
      : /\bno-store\b/i.test(cacheControl)
        ? 'no-store'
        : undefined,
    variesOnCredentials: vary !== undefined && /\b(?:cookie|authorization)\b|\*/i.test(vary),
  };
}

/** Is nobody known to want the answer yet? */
export function isPrefetch(request: HeaderLookup): boolean {
  return PURPOSES.some((name) => isPrefetchPurpose(request(name) ?? ''));
}

/** The same, by one of the headers that say so. */
export function isPrefetchPurpose(value: string): boolean {
  return /prefetch|prerender|preview/i.test(value);
}

/** Names of cookies. SECURITY: their values go nowhere. */
export function cookieNames(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header
    .split(';', MAX_COOKIES)
    .map((pair) => pair.split('=', 1)[0]?.trim().slice(0, MAX_NAME) ?? '')
    .filter((name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name));
}
