import { z } from 'zod';
import { mountPrefix, mountProblem, restBelow } from '../shared/mount-path.ts';
import { parsePattern, patternProblem, patternShape } from '../shared/path-pattern.ts';
import { admin, refuseAdminAsUpstream } from './admin.ts';
import { alsoWhenValuesFailed } from './checks.ts';
import { endpoints } from './endpoint.ts';
import { count, duration, size, text } from './fields.ts';
import { listen } from './listen.ts';
import { readNetwork, readOrigin, readPathPattern } from './readers.ts';
import { readRequestPattern } from './request-pattern.ts';
import { mount, site } from './upstream.ts';

/*
 * The one source of the config: types, defaults, messages and the published JSON Schema come from
 * here, and each `describe` is the manual's text for its key.
 */

const MAX_WORKERS = 256;

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
  return alsoWhenValuesFailed(check);
}

const live = z
  .record(z.string(), endpoints)
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
    maxStreamAge: duration(
      '1h',
      'Streams end when they are 80 to 100 % as old, with a hint to come back at once. "0s" is never.',
    ),
    channels: count(10_000, 'Different live URLs and identities that are polled at once.'),
    channelsPerAddress: count(
      256,
      'Of those, that were first asked for by one client address. Further plain requests pass through, further streams are refused.',
    ),
    channelsPerEndpoint: count(5_000, 'Of those, of one endpoint, whoever asks.'),
    queriesPerEndpoint: count(
      1_000,
      'Different paths and queries (and bodies of POST polls) of one endpoint at once.',
    ),
    subscribersPerChannel: count(40_000, 'Streams of one live URL and identity at once.'),
    polls: count(64, 'Polls of the site that may be under way at once; further ones wait.'),
    pollsPerSecond: count(200, 'Polls that the site gets in a second; further ones wait.'),
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
    bufferedBytes: size(
      '256MiB',
      'Size of all states, logs and unread events together. Beyond it logs are given up first, then new streams and larger states are refused, and the slowest readers cut.',
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

/** A path cannot be polled on the site and belong to a Comet origin. */
function notUnderMounts() {
  const check = z.superRefine((value: { comet?: object; live?: object }, context) => {
    const mounts = Object.keys(value.comet ?? {}).filter((path) => !mountProblem(path));
    for (const path of Object.keys(value.live ?? {})) {
      const key = mounts.find((mount) => restBelow(path, mountPrefix(mount)) !== undefined);
      if (key === undefined) continue;
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
  return alsoWhenValuesFailed(check);
}

/** The whole config file. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().meta({ description: 'Where editors find this schema.' }),
    listen,
    site,
    comet,
    live,
    inject: z
      .array(text(readPathPattern, { examples: ['/**', '/app/**'] }))
      .default([])
      .meta({
        description:
          'Path patterns of pages that get the client script, which answers their own polls from one stream. Default: none.',
      }),
    logoutOn: z
      .array(text(readRequestPattern, { examples: ['POST /logout', 'GET /logout.php'] }))
      .default([])
      .meta({
        description:
          'Requests by which clients end their sessions: a path pattern, or a method and one; without a method every one that is not safe. Once the site has answered one (2xx, 3xx), the streams with the same credentials end.',
      }),
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
    workers: z
      .union([z.int().min(1).max(MAX_WORKERS), z.literal('auto')])
      .default(1)
      .meta({
        description:
          'Processes that face clients. With more than one, a further process polls for all of them. "auto" is one for each CPU. Default: 1, and everything in one process.',
      }),
    admin,
    limits,
    log,
  })
  .check(notUnderMounts())
  .superRefine(refuseAdminAsUpstream);

/** A complete, checked config: every default filled in, every unit read. */
export type Config = z.output<typeof configSchema>;
/** How one live endpoint is polled. */
export type EndpointConfig = Config['live'][string][number];
