import { inquiryOf, readQuestion } from '../live/asked-request.ts';
import type { Endpoint, LivePath } from '../live/endpoint.ts';
import type { RouteOf } from '../live/explain.ts';
import { explainRoute } from '../live/explain.ts';
import type { Wanted } from '../live/wanted.ts';
import { findWanted } from '../live/wanted.ts';
import type { Downstream } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Question } from '../shared/explanation.ts';
import { redactUrl } from '../shared/logger.ts';
import type { ProbeQuestion, UnmatchedUrl } from '../shared/probe-report.ts';

/** One URL that is to be probed. */
export interface PlannedUrl {
  readonly kind: 'url';
  readonly wanted: Wanted;
  readonly downstream: Downstream;
}

/** What becomes of each endpoint. */
export interface Plan {
  readonly items: readonly (
    | PlannedUrl
    | { readonly kind: 'skipped'; readonly endpoint: Endpoint; readonly why: string }
  )[];
  readonly unmatched: readonly UnmatchedUrl[];
}

/** What is not known of a bare path. */
type Unknown = Pick<Downstream, 'host' | 'scheme'>;

/**
 * Decide what is to be probed: every endpoint whose pattern is a path already, unless a given URL is
 * one of it, and the given URLs.
 */
export function planProbe(
  paths: readonly LivePath[],
  { urls, headers, body }: Pick<ProbeQuestion, 'urls' | 'headers' | 'body'>,
  routeOf: RouteOf,
  unknown: Unknown,
): Plan {
  const posted = body === undefined ? { method: 'GET' } : { method: 'POST', body };
  const given = urls.map((url) => readUrl({ target: url, headers, ...posted }, routeOf, unknown));
  const items = paths.flatMap(({ endpoints }) =>
    endpoints.flatMap((endpoint): Plan['items'] => {
      const own = given.filter((one) => isOf(one, endpoint));
      if (own.length > 0) return distinct(own);
      const planned = readUrl(
        { target: literalTarget(endpoint), method: 'GET', headers },
        routeOf,
        unknown,
      );
      if (isOf(planned, endpoint)) return [planned];
      const why = `give a URL of it with --url${endpoint.config.method === 'POST' ? ' and --body' : ''}`;
      return [{ kind: 'skipped', endpoint, why }];
    }),
  );
  return { items, unmatched: given.filter((one): one is UnmatchedUrl => !('kind' in one)) };
}

function isOf(one: PlannedUrl | UnmatchedUrl, endpoint: Endpoint): one is PlannedUrl {
  return 'kind' in one && one.wanted.endpoint === endpoint;
}

/** The one path of a pattern; of another one nothing that would be a path. */
function literalTarget({ pattern }: Endpoint): string {
  const isLiteral = pattern.segments.every(({ kind }) => kind === 'literal');
  return isLiteral ? pattern.source.replace(/[^\x21-\x7e]+/g, encodeURIComponent) : '';
}

function readUrl(
  question: Question,
  routeOf: RouteOf,
  unknown: Unknown,
): PlannedUrl | UnmatchedUrl {
  const url = redactUrl(question.target);
  try {
    const asked = readQuestion(question);
    const match = routeOf(asked.target);
    const wanted =
      match.kind === 'live' ? findWanted(match.endpoint.endpoints, inquiryOf(asked)) : undefined;
    if (!wanted) return { url, why: explainRoute(asked, routeOf).why };
    return { kind: 'url', wanted, downstream: withUnknown(asked.downstream, unknown) };
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    return { url, why: error.message };
  }
}

/** A bare path does not say under which name the site is asked for. */
function withUnknown(known: Downstream, { host, scheme }: Unknown): Downstream {
  const address = known.address || '127.0.0.1';
  const client = { address, peer: address, trusted: false };
  if (known.host !== '') return { ...known, ...client };
  return { ...client, scheme: known.scheme === 'https' ? 'https' : scheme, authority: host, host };
}

function distinct(planned: readonly PlannedUrl[]): PlannedUrl[] {
  const byPoll = new Map(
    planned.map((one) => [
      `${one.wanted.target} ${one.downstream.scheme} ${one.downstream.host}`,
      one,
    ]),
  );
  return [...byPoll.values()];
}
