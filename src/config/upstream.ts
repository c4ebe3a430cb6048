import { z } from 'zod';
import { duration, text } from './fields.ts';
import { readOriginUrl, readSiteUrl } from './readers.ts';

/*
 * The servers behind us: the site, and the Comet origins that are mounted beside it.
 */

const SITE_META = {
  description: 'Where the legacy site is: scheme, host and port.',
  examples: ['http://127.0.0.1:3000'],
};

const ORIGIN_META = {
  description:
    'Where the Comet server is: its URL with the path that the mount stands for; the rest of the path is carried over.',
  examples: ['https://push.example.net/bayeux/', 'http://10.0.0.7:8000/'],
};

const upstreamTls = z.strictObject({
  ca: z.string().min(1).optional().meta({
    description: 'PEM file with the authorities that are trusted instead of the well-known ones.',
  }),
  serverName: z.string().min(1).optional().meta({
    description: 'The name that the certificate must be for. Default: the host of the URL.',
  }),
  verify: z.boolean().default(true).meta({
    description: 'False accepts any certificate: anybody in between can then read and change all.',
  }),
});

const lenient = z.boolean().default(false).meta({
  description:
    'Read broken HTTP of this server (bare line feeds, folded headers, stray control characters, an unasked 100 Continue) instead of answering 502. Its connections are not reused then.',
});

const connectTimeout = duration('5s', 'Longest wait for a connection; then 504.', { minMs: 1 });

const siteObject = z.strictObject({
  url: text(readSiteUrl, SITE_META),
  preserveHost: z.boolean().default(true).meta({
    description:
      "Send the client's Host, Origin and Referer to the site (true), or the site's own in their place (false).",
  }),
  connectTimeout,
  responseTimeout: duration(
    '60s',
    'Longest wait for the head of an answer; then 504. "0s" waits for ever.',
  ),
  bodyTimeout: duration(
    '5m',
    'Longest silence within the body of an answer; then it is cut. Never applied to streams. "0s" is for ever.',
  ),
  lenient,
  tls: upstreamTls.prefault({}),
});

/** `site`: its URL, or an object. */
export const site = z.union([
  z
    .string()
    .meta(SITE_META)
    .transform((url) => ({ url }))
    .pipe(siteObject),
  siteObject,
]);

const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const mountObject = z
  .strictObject({
    origin: text(readOriginUrl, ORIGIN_META).optional(),
    origins: z
      .array(text(readOriginUrl, ORIGIN_META))
      .min(1)
      .optional()
      .meta({ description: 'Several Comet servers in place of one "origin".' }),
    sticky: z.enum(['cookie', 'address']).default('cookie').meta({
      description:
        'What keeps a client with one of several origins: a cookie of ours, or the address of the client.',
    }),
    preserveHost: z.boolean().default(false).meta({
      description:
        "Send the Comet server its own Host, and Origin and Referer of its own where they are the site's (false), or the client's (true).",
    }),
    rewriteUrls: z.boolean().default(false).meta({
      description:
        'Turn absolute URLs of the Comet server inside HTML, JavaScript, CSS and JSON of the site into URLs of this mount.',
    }),
    cookies: z
      .array(
        text(
          (name) => (COOKIE_NAME.test(name) ? name : { problem: 'must be the name of a cookie' }),
          { examples: ['SESSION'] },
        ),
      )
      .default([])
      .meta({
        description:
          "The site's cookies that the Comet server may see. Default: none, only its own.",
      }),
    authorization: z.boolean().default(false).meta({
      description:
        "Pass Basic and Digest credentials on. Browsers send those of the site along; the Comet server's own need it.",
    }),
    connectTimeout,
    responseTimeout: duration(
      '0s',
      'Longest wait for the head of an answer; then 504. "0s" waits for ever, as long polls need.',
    ),
    lenient,
    tls: upstreamTls.prefault({}),
  })
  .transform(({ origin, origins, ...rest }, context) => {
    if ((origin === undefined) === (origins === undefined)) {
      const message = 'needs one of "origin" and "origins"';
      context.addIssue({ code: 'custom', message, input: undefined });
      return z.NEVER;
    }
    return { ...rest, origins: origins ?? [origin as URL] };
  });

/** One mount of `comet`: the URL of its origin, or an object. */
export const mount = z.union([
  z
    .string()
    .meta(ORIGIN_META)
    .transform((origin): { origin?: string | undefined } => ({ origin }))
    .pipe(mountObject),
  mountObject,
]);

/** How the site is reached. */
export type SiteConfig = z.output<typeof site>;
/** How one Comet mount is reached. */
export type MountConfig = z.output<typeof mount>;
