import { z } from 'zod';
import { TRANSPORT_NAMES } from '../protocol/surface.ts';
import { addKeyProblem, alsoWhenValuesFailed } from './checks.ts';
import { duration, size, text } from './fields.ts';
import { OWN_HEADERS, readHeaderName } from './header-name.ts';
import { parts } from './part.ts';
import { readInterval, readShare } from './readers.ts';
import { handshake, ignoreBody, match, method, request, rpc } from './request.ts';
import { checkRequestKeys } from './request-conflicts.ts';
import { readRequestPattern } from './request-pattern.ts';
import type { VaryItem } from './vary.ts';
import { parseVary, VARY_PATTERN } from './vary.ts';

/*
 * One live endpoint: how it is polled, and to whom it is pushed.
 */

const INTERVAL_META = {
  description:
    'How often the endpoint is polled while somebody listens: fixed ("2s"), or adaptive between two bounds ("1s..30s").',
  examples: ['2s', '1s..30s'],
};

const constantHeaders = z
  .record(z.string(), z.string())
  .superRefine((headers, context) => {
    for (const [name, value] of Object.entries(headers)) {
      const checked = readHeaderName(name);
      if (typeof checked !== 'string') {
        context.addIssue({ code: 'custom', message: checked.problem, path: [name], input: value });
      } else if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
        const message = 'must not hold line breaks or control characters';
        context.addIssue({ code: 'custom', message, path: [name], input: value });
      }
    }
  })
  .meta({ description: 'Constant headers that every poll of this endpoint carries.' })
  .default({});

const varyItems = z.array(
  text((value) => parseVary(value, OWN_HEADERS), {
    pattern: VARY_PATTERN,
    examples: ['cookie', 'cookie:SESSION', 'authorization', 'x-tenant', 'ip'],
  }),
);

const vary = varyItems
  .meta({
    description:
      'What the answer depends on. Exactly these parts of a client\'s request are sent with the poll, and clients share a poll only when all of them are equal. [] means public: no credential is sent and everybody shares. Default: ["cookie", "authorization"], with "authorizedBy" [].',
  })
  .optional();

const authorizedBy = varyItems
  .meta({
    description:
      'Credentials that decide who may see the answer, which is the same for all whom the site lets in: each session is asked for once with its own ("probeEvery"), and the polls for all carry those of one of them.',
    examples: [['cookie:SESSIONID'], ['authorization']],
  })
  .default([]);

const refreshOn = z
  .array(text(readRequestPattern, { examples: ['POST /api/orders/**', '/api/orders/:id'] }))
  .optional()
  .meta({
    description:
      'Requests that pass through after which the endpoint is polled at once: a path pattern, or a method and one; without a method every one that is not safe. Default: those to the polled path itself and below it. [] is none.',
  });

const keys = z.strictObject({
  every: text(readInterval, INTERVAL_META),
  method,
  match,
  ignoreBody,
  rpc,
  request,
  handshake,
  vary,
  authorizedBy,
  probeEvery: duration(
    '1m',
    'How often a session is asked for with its own credentials, where "authorizedBy" is given: so long it may see the state after the site would refuse it.',
    { minMs: 1_000 },
  ),
  setCookie: z.enum(['end', 'drop', 'keep']).default('end').meta({
    description:
      'What it means when the answer to a poll sets a cookie: it was meant for one client, so that nobody shares it any more ("end"); or nothing ("drop"); or that further polls of the channel carry it ("keep"). A cookie that the poll has sent with the same value means nothing.',
  }),
  refreshOn,
  cacheControl: z.enum(['obey', 'ignore']).default('obey').meta({
    description:
      'Whether "private" or "no-store" in the answers of a public endpoint ("vary": []) ends its sharing ("obey"), or is what old software says of everything ("ignore").',
  }),
  polls: z.enum(['pass', 'absorb', 'hold']).default('absorb').meta({
    description:
      'What a plain GET gets: the site\'s own answer ("pass"), the last known state ("absorb"), or, when the client has that already, the next one as soon as there is one ("hold").',
  }),
  share: text(readShare, {
    description:
      'The share of clients whose plain requests are converted, for careful roll-outs: the same clients stay in it while it grows. The others, and with "0%" all, get the site\'s own answers.',
    examples: ['5%', '100%'],
  }).prefault('100%'),
  shadow: z.boolean().default(false).meta({
    description:
      'Only try: plain requests pass through, their answers are compared with the state that would have been given, and what differs and what would have been saved is counted and logged.',
  }),
  hold: duration('25s', 'Longest time for which a plain GET is held.', {
    minMs: 1_000,
    maxMs: 55_000,
  }),
  patch: z.enum(['none', 'json', 'merge']).default('none').meta({
    description:
      'How changes of JSON are pushed to clients who have the state before: as the whole state ("none"), or as a patch where that is smaller: RFC 6902 ("json") or RFC 7386 ("merge").',
  }),
  select: parts('What counts as a change, where that is not the whole answer.'),
  ignore: parts('Parts of the answer whose changes do not count.'),
  ignoreFor: duration(
    '1m',
    'Longest time for which changes that do not count are kept back; then the next poll brings them.',
    { minMs: 1_000 },
  ),
  compare: z.enum(['value', 'bytes']).default('value').meta({
    description:
      'Whether JSON that differs in the order of members and in white space only is the same ("value") or another state ("bytes").',
  }),
  compress: z.boolean().optional().meta({
    description:
      'Compress streams for clients that accept gzip. Default: only public endpoints ("vary": []), since the size of a compressed text tells of secrets in it.',
  }),
  transports: z
    .array(z.enum(TRANSPORT_NAMES))
    .min(1)
    .default(TRANSPORT_NAMES.filter((name) => name !== 'jsonp'))
    .meta({ description: 'Which transports may stream this endpoint. Default: all but "jsonp".' }),
  ignoreQuery: z.array(z.string().min(1)).default(['_']).meta({
    description:
      'Names of query parameters that only defeat caches: not part of the address, and not sent.',
  }),
  headers: constantHeaders,
  timeout: duration('10s', 'Longest time for one poll, body included.', { minMs: 1 }),
  maxBody: size('4MiB', 'Largest answer that is pushed, after decompression.'),
  linger: duration('5s', 'How long polling goes on after the last subscriber left.'),
  history: z.int().min(0).max(10_000).default(100).meta({
    description:
      'How many events a reconnecting subscriber can be behind before it gets a snapshot.',
  }),
});

const DEFAULT_VARY: readonly VaryItem[] = [
  { kind: 'cookies' },
  { kind: 'header', name: 'authorization' },
];

const endpointObject = keys
  .check(alsoWhenValuesFailed(z.superRefine(checkRequestKeys)))
  .transform((endpoint) => ({
    ...endpoint,
    vary: endpoint.vary ?? (endpoint.authorizedBy.length > 0 ? [] : DEFAULT_VARY),
  }));

const endpoint = z.union([
  z
    .string()
    .meta(INTERVAL_META)
    .transform((every) => ({ every }))
    .pipe(endpointObject),
  endpointObject,
]);

/** An endpoint that means every request of its method leaves none to those after it. */
const reached = z.superRefine((list: unknown, context) => {
  const all = new Map<string, number>();
  if (!Array.isArray(list)) return;
  for (const [index, value] of list.entries()) {
    const { method, match } = (value ?? {}) as Partial<z.output<typeof keys>>;
    if (method === undefined || match === undefined) continue; // wrong for a reason of its own
    const before = all.get(method);
    if (before !== undefined) {
      const message = `entry ${index + 1} is never reached: entry ${before + 1} means every ${method}`;
      addKeyProblem(context, [index], message);
    } else if (match.query.length === 0 && match.body.length === 0) {
      all.set(method, index);
    }
  }
});

/** What stands at a path of `live`: an endpoint, or several of which the first that fits counts. */
export const endpoints = z.union([
  endpoint.transform((only) => [only]),
  z.array(endpoint).min(1).check(alsoWhenValuesFailed(reached)).meta({
    description: 'Several kinds of requests of one path: the first one that fits counts.',
  }),
]);
