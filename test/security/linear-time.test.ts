import { test } from 'node:test';
import type { VaryItem } from '../../src/config/vary.ts';
import { answerWithId } from '../../src/live/answer-with-id.ts';
import { canonicalTarget, identify } from '../../src/live/channel-key.ts';
import { parseBody } from '../../src/live/request-body.ts';
import { parseWantedUrls } from '../../src/live/stream-query.ts';
import { parseParameters } from '../../src/live/url-encoded.ts';
import { cookiesForUpstream } from '../../src/passthrough/cookies.ts';
import { refusalOf, retryAfterMs } from '../../src/poll/detect.ts';
import { patchText } from '../../src/poll/diff.ts';
import { fingerprint } from '../../src/poll/fingerprint.ts';
import { findPersonal } from '../../src/poll/personal.ts';
import { parseCursor, readCursor } from '../../src/protocol/cursor.ts';
import { combinedLine } from '../../src/server/access-log.ts';
import { http1Headers } from '../../src/server/http1-headers.ts';
import { detectLoop } from '../../src/server/loops.ts';
import { charsetOf } from '../../src/shared/charset.ts';
import { matchesGlob } from '../../src/shared/glob.ts';
import { redactUrl } from '../../src/shared/logger.ts';
import { textEncoding } from '../../src/shared/media-type.ts';
import { looseSegments } from '../../src/shared/mount-path.ts';
import { isOwnPath, pathSegments } from '../../src/shared/path-pattern.ts';
import { hasKnownCoding, listItems } from '../../src/shared/raw-headers.ts';
import { upstreamError } from '../../src/shared/upstream.ts';
import { foreignOrigin, scriptGate } from '../../src/transport/gate.ts';
import { acceptsEventStream, preferredWaitMs } from '../../src/transport/negotiate.ts';
import { readParameters } from '../../src/transport/parameters.ts';
import { scriptText } from '../../src/transport/script-text.ts';
import { comparison } from '../poll/comparisons.ts';
import { assertAllLinear } from '../rewriting/assert-linear.ts';

/*
 * Whatever reads what a client or the site has sent takes time in proportion to its length, whatever
 * it is: with one text that takes the square of it, one request would stop everybody's.
 */

const LENGTH = 100_000;

/** A text of 100 KB made of this. */
const full = (piece: string) => piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);

/** What makes careless patterns go back and forth. */
const NASTY: readonly string[] = [
  ...' \t;,=&?#%"\\\'/.-~:+a0*<>{}[]()\xa0\xff'.split(''),
  ...['%2', '%25', '%3f', '%26', '%3d', '%3b', '%2e%2e%2f', '%5f', '..;/', '../', '//'],
  ...[
    'a=',
    ';a',
    '; a',
    'a;',
    '&a',
    '?a',
    '?token',
    '&sess_',
    '&api_',
    ';charset',
    'charset=',
    '; q=0.',
  ],
  ...[
    'private ',
    'no-store',
    'wait ',
    'wait=',
    '"a',
    '"\\',
    "'",
    '<meta ',
    '<!--',
    '<?xml ',
    '\\u00',
  ],
  ...[
    '-0.0',
    '1e',
    '1.',
    '9',
    '__proto__',
    'http://',
    'W/"',
    '~stale',
    'K',
    '\u212a',
    'a\n',
    '\r\n',
  ],
];

const VARY: readonly VaryItem[] = [
  { kind: 'cookie', name: 'a' },
  { kind: 'headers', pattern: '*a*a*a' },
  { kind: 'header', name: 'x' },
];
const DOWNSTREAM = {
  address: '192.0.2.1',
  peer: '127.0.0.1',
  scheme: 'http',
  authority: 'a',
  host: 'a',
  trusted: false,
} as const;
const GATE = { own: 'http://a', allowed: ['https://b'] };
const POLICY = {
  isPublic: true,
  setCookie: 'end',
  cacheControl: 'obey',
  isKeyed: () => false,
  cookies: ['a=b'],
} as const;
const BY_VALUE = comparison();
const BY_PART = comparison({ ignore: ['/a/*/b'] });

function answer(headers: Record<string, string>, status = 200) {
  return {
    status,
    headers: new Map(Object.entries(headers)),
    setCookies: [],
    body: Buffer.alloc(0),
  };
}

/** What reads a client's request. */
const OF_CLIENTS: Readonly<Record<string, (text: string) => unknown>> = {
  'an id': (text) => [parseCursor(text), readCursor(text)],
  'a URL in the log': (text) => redactUrl(`/a?b=${text}`),
  'a URL without what defeats caches': (text) =>
    canonicalTarget(`/a?${text}`, ['_', 't*x'], ['tx']),
  'the URLs of a stream': (text) =>
    parseWantedUrls(new URLSearchParams({ url: `/${text}`, since: text }), 'http://a', 9),
  'a query': (text) => [parseParameters(text), parseParameters(text, /[&;]/)],
  'parameters of the surface': (text) =>
    readParameters(new URLSearchParams({ callback: text }), ['callback'], []),
  'a path': (text) => [pathSegments(`/${text}`), isOwnPath(`/${text}`), looseSegments(`/${text}`)],
  'Accept and Prefer': (text) => [acceptsEventStream(text), preferredWaitMs(['Prefer', text])],
  'Origin and Referer': (text) => [
    foreignOrigin(['Origin', text], 'http://a'),
    scriptGate(['Referer', `http://${text}`], GATE),
  ],
  'what is keyed': (text) =>
    identify(
      {
        kind: 'state',
        endpoint: 'a',
        target: '/',
        content: undefined,
        vary: VARY,
        downstream: DOWNSTREAM,
        rawHeaders: ['Cookie', text, 'Cookie', `a=${text};a`, 'X', text],
      },
      Buffer.alloc(32),
    ),
  'cookies of a mount': (text) =>
    cookiesForUpstream(text, { prefix: '/m', path: '', shared: new Set(['a']) }),
  'a list': (text) => [listItems(text), hasKnownCoding(['Transfer-Encoding', text])],
  'a header': (text) => http1Headers(['A', text, text, 'a'], { mayHaveBody: true }),
  'a name for a pattern': (text) => matchesGlob('x-*a*a*a*b', `x-${text}`),
  'a line of the access log': (text) =>
    combinedLine(
      {
        address: '192.0.2.1',
        method: 'GET',
        url: redactUrl(text),
        version: '1.1',
        status: 200,
        bytes: 0,
        referer: redactUrl(text),
        userAgent: text,
      },
      new Date(0),
    ),
  Via: (text) => detectLoop(['Via', text], 'comet-proxy-1'),
  'the body of a poll': (text) => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded', text]) {
      parseBody(type, Buffer.from(text));
      parseBody(type, Buffer.from(`{"a":"${text}`));
    }
  },
};

/** What reads an answer of the site's. */
const OF_THE_SITE: Readonly<Record<string, (text: string) => unknown>> = {
  'what makes an answer personal': (text) =>
    findPersonal(
      {
        headers: new Map([
          ['cache-control', text],
          ['vary', 'accept-encoding'],
        ]),
        setCookies: [text],
      },
      { ...POLICY, setCookie: 'drop' },
    ),
  'Vary and cookies': (text) => [
    findPersonal({ headers: new Map([['vary', text]]), setCookies: [] }, POLICY),
    findPersonal({ headers: new Map(), setCookies: [text] }, POLICY),
  ],
  'Retry-After': (text) => retryAfterMs(text, 0),
  'a type': (text) => [
    textEncoding(text, Buffer.from('é')),
    charsetOf(Buffer.from('é'), `text/html;${text}`),
    refusalOf(answer({ 'content-type': text }), { state: undefined, missing: 0, isPrivate: true }),
  ],
  'the charset of a document': (text) => {
    for (const type of ['text/html', 'application/xml']) {
      charsetOf(Buffer.from(`${text}\xff`, 'latin1'), type);
      charsetOf(Buffer.from(`<meta ${text}\xff`, 'latin1'), type);
    }
  },
  JSON: (text) => {
    for (const body of [text, `"${text}"`, `[${text}]`, `{"a":[${text}`, `{"a":${text}}`]) {
      fingerprint(Buffer.from(body), 'application/json', BY_VALUE);
      fingerprint(Buffer.from(body), 'application/json', BY_PART);
      answerWithId(Buffer.from(body), '1');
    }
  },
  'a difference': (text) => {
    const [before, after] = [
      `{"a":1,"b":${JSON.stringify(text)}}`,
      `{"a":2,"b":${JSON.stringify(text)}}`,
    ];
    patchText('json', Buffer.from(before), Buffer.from(after));
    patchText('merge', Buffer.from(before), Buffer.from(after));
  },
  'a text in a script': (text) => scriptText(text),
  'a failure': (text) => upstreamError(new Error(text)),
};

/** It may refuse what it reads. */
function quietly(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** This reading of every nasty text. */
function* readings(read: (text: string) => unknown) {
  for (const piece of NASTY) {
    for (const text of [full(piece), `a${full(piece)}=x`]) {
      yield [JSON.stringify(text.slice(0, 20)), () => quietly(() => read(text))] as const;
    }
  }
}

for (const [whose, readers] of [
  ['a client', OF_CLIENTS],
  ['the site', OF_THE_SITE],
] as const) {
  for (const [name, read] of Object.entries(readers)) {
    test(`reading ${name} of ${whose} takes time in proportion to its length`, () => {
      assertAllLinear(readings(read), LENGTH);
    });
  }
}
