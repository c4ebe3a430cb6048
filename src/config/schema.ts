import { z } from 'zod';
import { TRANSPORT_NAMES } from '../protocol/surface.ts';
import { mountPrefix, mountProblem, restBelow } from '../shared/mount-path.ts';
import { parsePattern, patternProblem, patternShape } from '../shared/path-pattern.ts';
import { count, duration, size, text } from './fields.ts';
import { listen } from './listen.ts';
import { readInterval, readNetwork, readOrigin } from './readers.ts';
import { mount, site } from './upstream.ts';
import { parseVary, VARY_PATTERN } from './vary.ts';

/*
 * The one source of the config: types, defaults, messages and the published JSON Schema come from
 * here, and each `describe` is the manual's text for its key.
 */

/** Names that a `headers` or `vary` entry cannot take: framing and routing are ours. */
const OWN_HEADERS = new Set(
  `accept-encoding connection content-length expect host http2-settings keep-alive proxy-authorization
   proxy-connection range te trailer transfer-encoding upgrade via x-forwarded-for x-forwarded-host
   x-forwarded-proto`.split(/\s+/),
);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const INTERVAL_META = {
  description:
    'How often the endpoint is polled while somebody listens: fixed ("2s"), or adaptive between two bounds ("1s..30s").',
  examples: ['2s', '1s..30s'],
};

function readHeaderName(value: string): string | { problem: string } {
  if (!TOKEN.test(value)) return { problem: `"${value}" is not a header name` };
  return OWN_HEADERS.has(value.toLowerCase())
    ? { problem: `"${value}" is set by the proxy itself` }
    : value;
}

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

const vary = z
  .array(
    text((value) => parseVary(value, OWN_HEADERS), {
      pattern: VARY_PATTERN,
      examples: ['cookie', 'cookie:SESSION', 'authorization', 'x-tenant', 'ip'],
    }),
  )
  .meta({
    description:
      "What the answer depends on. Exactly these parts of a client's request are sent with the poll, and clients share a poll only when all of them are equal. [] means public: no credential is sent and everybody shares.",
  })
  .prefault(['cookie', 'authorization']);

const endpointObject = z.strictObject({
  every: text(readInterval, INTERVAL_META),
  vary,
  polls: z.enum(['pass', 'absorb', 'hold']).default('absorb').meta({
    description:
      'What a plain GET gets: the site\'s own answer ("pass"), the last known state ("absorb"), or, when the client has that already, the next one as soon as there is one ("hold").',
  }),
  hold: duration('25s', 'Longest time for which a plain GET is held.', {
    minMs: 1_000,
    maxMs: 55_000,
  }),
  patch: z.enum(['none', 'json', 'merge']).default('none').meta({
    description:
      'How changes of JSON are pushed to clients who have the state before: as the whole state ("none"), or as a patch where that is smaller: RFC 6902 ("json") or RFC 7386 ("merge").',
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

const endpoint = z.union([
  z
    .string()
    .meta(INTERVAL_META)
    .transform((every) => ({ every }))
    .pipe(endpointObject),
  endpointObject,
]);

/** Looks at the keys also when values are wrong: everything is reported at once. */
function pathKeys(problemOf: (path: string) => string | undefined, shapeOf: (p: string) => string) {
  const check = z.superRefine((entries: Record<string, unknown>, context) => {
    const shapes = new Map<string, string>();
    for (const path of Object.keys(entries)) {
      const problem = problemOf(path);
      const shape = problem ? undefined : shapeOf(path);
      const twin = shape && shapes.get(shape);
      const message = problem ?? (twin && `matches the same paths as "${twin}"`);
      if (message) {
        const issues = [{ code: 'custom' as const, message, path: [], input: path }];
        context.addIssue({
          code: 'invalid_key',
          origin: 'record',
          issues,
          path: [path],
          input: path,
        });
      }
      if (shape) shapes.set(shape, path);
    }
  });
  // `superRefine` has no option for it, unlike `refine`: run although values have failed already.
  check._zod.def.when = ({ value }) => typeof value === 'object' && value !== null;
  return check;
}

const live = z
  .record(z.string(), endpoint)
  .check(pathKeys(patternProblem, (path) => patternShape(parsePattern(path))))
  .meta({
    description:
      'Path pattern -> how it is polled. Patterns are literal segments, ":name" or "*" (one segment) and "**" (the rest); the most specific one wins.',
  })
  .default({});

const comet = z
  .record(z.string(), mount)
  .check(pathKeys(mountProblem, mountPrefix))
  .meta({
    description:
      "Mount path -> Comet origin. Requests and WebSockets under the path go to that server, which appears under the site's own origin; the most specific path wins.",
  })
  .default({});

const limits = z
  .strictObject({
    connections: count(50_000, 'Connections at once; further ones are told to come back later.'),
    connectionsPerAddress: count(
      1_024,
      'Connections at once from one address; further ones are refused. Trusted proxies may have any number.',
    ),
    streams: count(40_000, 'Streams at once; further ones are told to come back later.'),
    streamsPerAddress: count(1_024, 'Streams at once from one client address.'),
    channels: count(10_000, 'Different live URLs and identities that are polled at once.'),
    urlsPerStream: count(32, 'Endpoint URLs in one stream.'),
    messageBytes: size('16KiB', 'Size of a message that a WebSocket client sends.'),
    headerBytes: size('16KiB', 'Size of a request head.'),
    urlBytes: size('8KiB', 'Length of a request target.'),
    bodyTimeout: duration(
      '60s',
      'Longest silence of a client within the body of its request; then 408.',
      { minMs: 1 },
    ),
    sendTimeout: duration(
      '60s',
      'Longest time for which a client may read nothing of an answer that waits for it; then it is cut.',
      { minMs: 1 },
    ),
    logBytes: size(
      '1MiB',
      'Size of the events that one channel keeps for reconnecting subscribers.',
    ),
    drain: duration('30s', 'Longest time from the first SIGTERM to the exit.'),
  })
  .prefault({});

const log = z
  .strictObject({
    level: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .meta({ description: 'The least important lines that are written.' }),
    format: z
      .enum(['pretty', 'json'])
      .optional()
      .meta({ description: 'Default: pretty on a terminal, JSON lines otherwise.' }),
    access: z.literal([false, 'combined', 'json']).default(false).meta({
      description:
        'One line per answered request: "combined" (as Apache and nginx), "json", or false.',
    }),
  })
  .prefault({});

/** The whole config file. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Where editors find this schema.' }),
    listen,
    site,
    comet,
    live,
    origins: z
      .array(text(readOrigin, { examples: ['https://partner.example'] }))
      .default([])
      .meta({ description: 'Other origins whose pages may read streams. Default: none.' }),
    trustedProxies: z
      .array(text(readNetwork, { examples: ['10.0.0.0/8'] }))
      .default([])
      .meta({
        description:
          'Proxies in front of us whose X-Forwarded-* headers are believed: addresses, networks, or "unix" for whoever connects through a unix socket.',
      }),
    via: z.boolean().default(true).meta({
      description:
        'Name ourselves in the Via header of forwarded requests, by which loops are found. Some servers do not compress answers to such requests: false.',
    }),
    webSocketCompression: z.boolean().default(false).meta({
      description:
        'Offer WebSocket clients to compress messages of endpoints that may be compressed (permessage-deflate without context).',
    }),
    limits,
    log,
  })
  .superRefine(({ comet, live }, context) => {
    for (const [path, key] of livePathsUnderMounts(Object.keys(live), Object.keys(comet))) {
      const message = `lies under the mount "${key}": polls go to the site, requests of this path to the Comet origin`;
      const issues = [{ code: 'custom' as const, message, path: [], input: path }];
      context.addIssue({
        code: 'invalid_key',
        origin: 'record',
        issues,
        path: ['live', path],
        input: path,
      });
    }
  });

function livePathsUnderMounts(
  paths: readonly string[],
  mounts: readonly string[],
): (readonly [path: string, mount: string])[] {
  return paths.flatMap((path) => {
    const key = mounts.find((mount) => restBelow(path, mountPrefix(mount)) !== undefined);
    return key === undefined ? [] : [[path, key] as const];
  });
}

/** A complete, checked config: every default filled in, every unit read. */
export type Config = z.output<typeof configSchema>;
/** How one live endpoint is polled. */
export type EndpointConfig = Config['live'][string];
