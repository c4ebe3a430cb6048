import { createHash } from 'node:crypto';
import type { Mapping } from './url-map.ts';

/** Where the client sees the site. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https';
  /** Host and port, as the client wrote them. */
  readonly authority: string;
}

/** Clients choose the names by which they ask. */
const MAX_MARKS = 1_000;

const SCHEMES = ['', 'http:', 'https:', 'ws:', 'wss:'];
const SLASHES = ['//', '\\/\\/'];

/** What ends a URL that is nothing but an origin: the end of a literal, an attribute or a word. */
const BARE = /^(?:\\?\/)?(?:\\?["'`]|[\s<>)$]|$)/;
/** The beginning of such an end. */
const MAY_BE_BARE = /^(?:\\?\/)?\\?$/;
/** A character that would make a path another one than it seems. */
const GOES_ON = /^[\w.~%@:+=-]/;

/** Which upstream URLs are to become URLs of the site, compiled once for all answers. */
export class UrlRules {
  readonly mappings: readonly Mapping[];
  /** Hosts and ports of all upstreams, in lower case. */
  readonly authorities: readonly string[];
  readonly #marks = new Map<string, string>();
  /** Finds scheme and authority; the path behind them is looked at by hand. */
  readonly pattern: RegExp;
  /** Everything a URL can begin with, in lower case. */
  readonly beginnings: readonly string[];
  readonly maxBeginning: number;
  /** Longest path of an upstream, with escaped slashes, and what tells where it ends. */
  readonly maxRestLength: number;

  constructor(mappings: readonly Mapping[]) {
    this.mappings = [...mappings].sort((a, b) => b.path.length - a.path.length);
    const authorities = [...new Set(mappings.flatMap((mapping) => mapping.authorities))];
    this.authorities = authorities;
    const names = [...authorities].sort((a, b) => b.length - a.length).map(escapeRegExp);
    // `(?<!…)` keeps us from the middle of another word, and from the slashes of another scheme.
    this.pattern = new RegExp(
      `(?:(?<![\\w+.-])(https?|wss?):|(?<![\\w:/\\\\]))(//|\\\\/\\\\/)(${names.join('|')})(?![\\w.:%@-])`,
      'gi',
    );
    this.beginnings = SCHEMES.flatMap((scheme) =>
      SLASHES.flatMap((slashes) => authorities.map((name) => `${scheme}${slashes}${name}`)),
    );
    this.maxBeginning = Math.max(0, ...this.beginnings.map(({ length }) => length));
    const longestPath = Math.max(0, ...mappings.map(({ path }) => path.length));
    this.maxRestLength = 2 * longestPath + 4;
  }

  /**
   * What distinguishes texts that are rewritten by these rules for this origin: a copy in a browser's
   * cache is of use only while it would be rewritten in the same way.
   */
  markOf(publicOrigin: PublicOrigin): string {
    const key = `${publicOrigin.scheme}://${publicOrigin.authority}`;
    let mark = this.#marks.get(key);
    if (mark === undefined) {
      if (this.#marks.size >= MAX_MARKS) this.#marks.clear();
      const rules = JSON.stringify([key, this.mappings]);
      mark = `~${createHash('sha256').update(rules).digest('base64url').slice(0, 8)}`;
      this.#marks.set(key, mark);
    }
    return mark;
  }
}

/**
 * Replaces the URLs of upstreams in a text that comes in pieces, wherever the pieces are cut:
 * `https://push.example/x`, `//push.example/x`, `wss://push.example/x`, `https:\/\/push.example\/x`
 * become URLs of the site under the mount. They stay absolute, so that scripts can go on to take
 * them apart, and to put paths behind them.
 *
 * Texts are latin1: one character is one byte, whatever the charset.
 */
export class UrlRewriter {
  readonly #rules: UrlRules;
  readonly #publicOrigin: PublicOrigin;
  /** What may be the beginning of a URL, behind one character that is sent already. */
  #held = '';
  #hasContext = false;

  constructor(rules: UrlRules, publicOrigin: PublicOrigin) {
    this.#rules = rules;
    this.#publicOrigin = publicOrigin;
  }

  /** Rewrite the next piece; what may go on in the piece after it is held back. */
  write(piece: string): string {
    return this.#rewrite(this.#held + piece, false);
  }

  /** The rest. */
  end(): string {
    return this.#rewrite(this.#held, true);
  }

  #rewrite(text: string, isLast: boolean): string {
    const { pattern, maxRestLength } = this.#rules;
    let undecided = text.length;
    let from = this.#hasContext ? 1 : 0;
    let output = '';
    pattern.lastIndex = from;
    for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
      const [found, scheme = '', slashes = '//', authority = ''] = match;
      const rest = text.slice(pattern.lastIndex, pattern.lastIndex + maxRestLength);
      if (!isLast && this.#mayGoOn(slashes, authority.toLowerCase(), rest)) {
        undecided = match.index;
        break;
      }
      const url = this.#publicUrl(scheme.toLowerCase(), slashes, authority.toLowerCase(), rest);
      if (!url) continue;
      output += text.slice(from, match.index) + url.text;
      from = match.index + found.length + url.length;
      pattern.lastIndex = from;
    }
    const end = isLast ? text.length : this.#holdFrom(text, from, undecided);
    output += text.slice(from, end);
    this.#hasContext = end > 0;
    this.#held = text.slice(Math.max(0, end - 1));
    return output;
  }

  /** The public form, and how much of `rest` it stands for. */
  #publicUrl(
    scheme: string,
    slashes: string,
    authority: string,
    rest: string,
  ): { text: string; length: number } | undefined {
    const isEscaped = slashes !== '//';
    const slash = isEscaped ? '\\/' : '/';
    const ofAuthority = this.#rules.mappings.filter(({ authorities }) =>
      authorities.includes(authority),
    );
    const base = this.#base(scheme, slashes);
    for (const { path, prefix } of ofAuthority) {
      const written = path.replaceAll('/', slash);
      if (!rest.startsWith(written) || GOES_ON.test(rest.slice(written.length))) continue;
      return { text: base + prefix.replaceAll('/', slash), length: written.length };
    }
    // Mounted at the path that it has anyway: scripts may put that path behind the bare origin.
    const isAlike = ofAuthority.some(({ path, prefix }) => path === prefix);
    if (isAlike && BARE.test(rest)) return { text: base, length: 0 };
    return undefined;
  }

  #base(scheme: string, slashes: string): string {
    const { scheme: ownScheme, authority } = this.#publicOrigin;
    const own = scheme.startsWith('ws') ? ownScheme.replace('http', 'ws') : ownScheme;
    return `${scheme === '' ? '' : `${own}:`}${slashes}${authority}`;
  }

  /** Does it take more of the text to say what this URL is? */
  #mayGoOn(slashes: string, authority: string, rest: string): boolean {
    if (MAY_BE_BARE.test(rest)) return true;
    const slash = slashes === '//' ? '/' : '\\/';
    return this.#rules.mappings.some(
      ({ authorities, path }) =>
        authorities.includes(authority) && path.replaceAll('/', slash).startsWith(rest),
    );
  }

  /** Where to stop: the first place from `from` on where a URL may have begun, at most `to`. */
  #holdFrom(text: string, from: number, to: number): number {
    const { maxBeginning, beginnings } = this.#rules;
    const start = Math.max(from, text.length - maxBeginning);
    const tail = text.slice(start).toLowerCase();
    for (let i = 0; i < to - start; i++) {
      const char = tail[i];
      if (char !== 'h' && char !== 'w' && char !== '/' && char !== '\\') continue;
      const begun = tail.slice(i);
      if (beginnings.some((url) => url.startsWith(begun))) return start + i;
    }
    return to;
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
