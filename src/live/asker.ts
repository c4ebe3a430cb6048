import { CookieJar, pathMatch } from 'tough-cookie';
import type { Fetch } from '../poll/fetch.ts';
import { trimBlanks } from '../shared/raw-headers.ts';
import type { Asker } from './askers.ts';
import type { Identity } from './channel-key.ts';
import { withHandshake } from './handshake.ts';
import type { PollSender } from './poll-headers.ts';
import { pollHeaders } from './poll-headers.ts';
import type { Wanted } from './wanted.ts';

/** How polls reach the site. */
export interface PollWay {
  readonly fetch: Fetch;
  readonly sender: PollSender;
}

/** Make what asks for this with the credentials of this identity. */
export function createAsker(wanted: Wanted, identity: Identity, way: PollWay): Asker {
  const { endpoint, target, content } = wanted;
  const { timeout, maxBody, handshake, headers: constants, setCookie } = endpoint.config;
  const fetch = handshake ? withHandshake(way.fetch, handshake) : way.fetch;
  const headers = pollHeaders({ headers: constants, content, identity }, way.sender);
  const lines = identity.forwarded.get('cookie') ?? [];
  const kept = setCookie === 'keep' ? new KeptCookies(lines, target) : undefined;
  const poll = {
    method: content ? 'POST' : 'GET',
    target,
    headers,
    body: content?.bytes,
    timeoutMs: timeout,
    maxBytes: maxBody,
  } as const;
  return {
    get cookies() {
      return kept?.lines ?? lines;
    },
    async ask(conditions, signal) {
      const own = kept ? kept.headers(headers) : headers;
      // Of a POST a condition would say when it is to be refused, not what is known.
      const isPlain = conditions.length === 0 || content !== undefined;
      const request = { ...poll, headers: isPlain ? own : [...own, ...conditions] };
      const answer = await fetch(request, signal);
      kept?.keep(answer.setCookies);
      return answer;
    },
  };
}

/**
 * The cookies that polls are given, besides those of their client.
 *
 * SECURITY: they stay with the polls of one identity: no client sees them. What the client sent stays
 * as it was sent, except where the site has said something else.
 */
class KeptCookies {
  readonly #jar = new CookieJar(undefined, { looseMode: true, rejectPublicSuffixes: false });
  readonly #url: URL;
  readonly #sent: readonly string[];
  /** Names of cookies that the site has set, or deleted. */
  readonly #given = new Set<string>();

  constructor(lines: readonly string[], target: string) {
    // One site only: which one makes no difference, and secure cookies are for it as well.
    this.#url = new URL(target, 'https://site.invalid');
    this.#sent = lines;
  }

  get lines(): readonly string[] {
    if (this.#given.size === 0) return this.#sent;
    const own = this.#sent
      .flatMap((line) => line.split(';'))
      .map(trimBlanks)
      .filter((pair) => pair !== '' && !this.#given.has(nameOf(pair)));
    const given = this.#jar.getCookieStringSync(this.#url.href);
    const line = [...own, ...(given === '' ? [] : [given])].join('; ');
    return line === '' ? [] : [line];
  }

  keep(setCookies: readonly string[]): void {
    for (const line of setCookies) {
      const ofSite = line.replace(/;\s*domain\s*=[^;]*/gi, '');
      const cookie = this.#jar.setCookieSync(ofSite, this.#url.href, { ignoreError: true });
      if (cookie && pathMatch(this.#url.pathname, cookie.path ?? '/')) this.#given.add(cookie.key);
    }
  }

  /** Headers with these cookies in place of those that stand there. */
  headers(plain: readonly string[]): readonly string[] {
    if (this.#given.size === 0) return plain;
    const others = plain.flatMap((name, index) =>
      index % 2 === 0 && name !== 'cookie' ? [name, plain[index + 1] ?? ''] : [],
    );
    return [...others, ...this.lines.flatMap((line) => ['cookie', line])];
  }
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? '' : trimBlanks(pair.slice(0, equals));
}
