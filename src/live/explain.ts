import { errorText, ProxyError } from '../shared/errors.ts';
import type { Explanation } from '../shared/explanation.ts';
import { redactUrl } from '../shared/logger.ts';
import { pathSegments } from '../shared/path-pattern.ts';
import type { AskedRequest } from './asked-request.ts';
import { inquiryOf } from './asked-request.ts';
import type { Endpoint, LivePath } from './endpoint.ts';
import { endpointWords, percentOf } from './endpoint-words.ts';
import { objectionTo } from './explain-objection.ts';
import { explainSharing } from './explain-sharing.ts';
import { credentialOf, isInShare } from './share.ts';
import { addressOf, findWanted } from './wanted.ts';

/** What a router says of a target. */
export type RouteMatch =
  | { readonly kind: 'own' }
  | { readonly kind: 'site' }
  | { readonly kind: 'mount'; readonly mount: { readonly prefix: string } }
  | { readonly kind: 'live'; readonly endpoint: LivePath };

/** Decides by the path alone, as the router of requests does; may refuse. */
export type RouteOf = (target: string) => RouteMatch;

/** Say what becomes of a request, as far as the config says it. */
export function explainRoute(asked: AskedRequest, routeOf: RouteOf): Explanation {
  const { target } = asked;
  const url = redactUrl(target);
  let match: RouteMatch;
  try {
    match = routeOf(target);
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { url, route: 'refused', why: `${error.code}: ${errorText(error.code)}` };
  }
  switch (match.kind) {
    case 'own':
      return { url, route: 'own', why: 'under "/_comet/", which is the proxy\'s own' };
    case 'mount': {
      const { prefix } = match.mount;
      return { url, route: 'mount', pattern: `${prefix}/`, why: `under "${prefix}/" of "comet"` };
    }
    case 'site':
      return { url, route: 'site', why: whyNotLive(target, routeOf) };
    case 'live':
      return explainLive(asked, match.endpoint);
  }
}

function explainLive(asked: AskedRequest, { pattern, endpoints }: LivePath): Explanation {
  const wanted = findWanted(endpoints, inquiryOf(asked));
  if (!wanted) return explainNone(asked, pattern.source, endpoints);
  const { endpoint, url } = wanted;
  return {
    url: redactUrl(url),
    route: 'live',
    pattern: pattern.source,
    why: [`matches "${endpoint.name}"`, ...shareOf(endpoint, asked)].join(', '),
    endpoint: endpointWords(endpoint.config),
    sharing: explainSharing(endpoint.config, asked),
  };
}

/** Is it a client whose plain requests are converted? */
function shareOf(endpoint: Endpoint, asked: AskedRequest): string[] {
  const { share } = endpoint.config;
  if (share <= 0 || share >= 1) return [];
  const percent = percentOf(share);
  // A question need not say from where it would be asked.
  if (asked.downstream.address === '' && credentialOf(endpoint, asked).length === 0) {
    return [`by a client that its address puts inside or outside of the ${percent}`];
  }
  return [`by a client ${isInShare(endpoint, asked) ? 'inside' : 'outside'} of the ${percent}`];
}

/** No endpoint of its path means it. */
function explainNone(
  asked: AskedRequest,
  pattern: string,
  endpoints: readonly Endpoint[],
): Explanation {
  const [first, ...others] = endpoints;
  const url = redactUrl(first ? addressOf(first, asked.target) : asked.target);
  const objections = endpoints.map(({ config }) => objectionTo(config, asked));
  const objection =
    others.length === 0
      ? objections.join()
      : objections.map((words, index) => `of entry ${index + 1}: ${words}`).join('; ');
  const told = first && others.length === 0 ? { endpoint: endpointWords(first.config) } : {};
  return { url, route: 'site', pattern, why: `matches "${pattern}", but ${objection}`, ...told };
}

/** Spellings of a path that people take for the same one. */
const SPELLINGS: readonly [words: string, change: (path: string) => string][] = [
  ['without the "/" at its end', (path) => path.replace(/\/$/, '')],
  ['with a "/" at its end', (path) => `${path}/`],
  ['with single slashes', (path) => path.replace(/\/{2,}/g, '/')],
  ['in lower case', (path) => path.toLowerCase()],
];

function whyNotLive(target: string, routeOf: RouteOf): string {
  const path = target.split('?', 1)[0] ?? '';
  if (pathSegments(path) === undefined) {
    return 'a path with "..", ";", "\\" or an encoded slash is never live: servers read it in different ways';
  }
  for (const [words, change] of SPELLINGS) {
    const other = change(path);
    if (other === path || !other.startsWith('/')) continue;
    const match = routeOrSite(other, routeOf);
    if (match.kind !== 'live') continue;
    return `matches no pattern of "live"; ${words} it would match "${match.endpoint.pattern.source}"`;
  }
  return 'matches no pattern of "live"';
}

function routeOrSite(target: string, routeOf: RouteOf): RouteMatch {
  try {
    return routeOf(target);
  } catch {
    return { kind: 'site' }; // refused: no better than what was asked about
  }
}
