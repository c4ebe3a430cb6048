import { createHash } from 'node:crypto';
import type { RawHeaders } from '../../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../../shared/raw-headers.ts';
import { marked, opaqueOf } from '../entity-tags.ts';
import { mapHeaders } from '../rewriting.ts';

/** Headers that describe the bytes of a body which is another one now. */
const OF_THE_BODY =
  /^(?:content-length|accept-ranges|digest|content-digest|repr-digest|content-md5)$/;
const VALIDATORS = /^(?:etag|last-modified)$/;
const ENTITY_TAG = /(?:W\/)?"[^"]*"/g;

/** What a client has of us already, as its request says. */
export interface KnownPages {
  /** The headers by which the site is asked. */
  readonly headers: string[];
  /** What the site's own entity tags have in their quotes, of pages that it has with the script. */
  readonly opaque: readonly string[];
}

/**
 * What headers say of pages with the script in them.
 *
 * Their entity tags are the site's own with a mark behind. What a browser has without the mark, or with
 * that of another script, is of no use: the site is not asked about it. The mark also keeps
 * whether the tag was a strong one, for many a server compares them as texts.
 */
export class PageHeaders {
  readonly #strong: string;
  readonly #weak: string;

  /** @param salt - Everything by which a page that is stored may be another one than it would be now. */
  constructor(salt: string) {
    const mark = `~${createHash('sha256').update(salt).digest('base64url').slice(0, 8)}`;
    this.#strong = `${mark}s`;
    this.#weak = `${mark}w`;
  }

  /** The request's conditions as the site can judge them. */
  request(headers: RawHeaders): KnownPages {
    const sent = headerValues(headers, 'if-none-match').join();
    const tags = (sent.match(ENTITY_TAG) ?? []).flatMap((tag) => this.#siteTag(tag) ?? []);
    const mapped = mapHeaders(headers, (name, value) => {
      if (name === 'if-none-match') return undefined; // said anew below
      // A date says nothing of what is in the page.
      if (name === 'if-modified-since') return tags.length > 0 ? value : undefined;
      // Compared strongly (RFC 9110 §13.1.1); it is we who made the tag a weak one.
      if (name === 'if-match') {
        return value.replace(ENTITY_TAG, (tag) => this.#siteTag(tag)?.replace('W/', '') ?? tag);
      }
      return value;
    });
    const conditions = tags.length > 0 ? ['If-None-Match', tags.join(', ')] : [];
    const opaque = tags.flatMap((tag) => opaqueOf(tag) ?? []);
    return { headers: [...mapped, ...conditions], opaque };
  }

  /** Those of a 304: it is for a page with the script in it, if the client has asked for that. */
  confirmed(headers: RawHeaders, { opaque }: KnownPages): string[] {
    const own = opaqueOf(headerValue(headers, 'etag') ?? '');
    const isOurs = own === undefined ? opaque.length > 0 : opaque.includes(own);
    return isOurs ? this.#ofPage(headers) : [...headers];
  }

  /**
   * Those of a page that gets the script.
   *
   * @param storing - `useless` for one that nobody may show a second time.
   */
  injected(headers: RawHeaders, storing: 'useful' | 'useless'): string[] {
    const isKept = (name: string) => storing === 'useful' || !VALIDATORS.test(name);
    return this.#ofPage(mapHeaders(headers, (name, value) => (isKept(name) ? value : undefined)));
  }

  #ofPage(headers: RawHeaders): string[] {
    const isWeak = headerValue(headers, 'etag')?.trim().startsWith('W/') ?? false;
    const kept = mapHeaders(headers, (name, value) => (OF_THE_BODY.test(name) ? undefined : value));
    return revalidated(marked(kept, isWeak ? this.#weak : this.#strong));
  }

  /** The site's own form of a tag, if it is a marked one. */
  #siteTag(tag: string): string | undefined {
    const opaque = opaqueOf(tag);
    if (opaque?.endsWith(this.#strong)) return `"${opaque.slice(0, -this.#strong.length)}"`;
    if (opaque?.endsWith(this.#weak)) return `W/"${opaque.slice(0, -this.#weak.length)}"`;
    return undefined;
  }
}

/** However long the site lets it live, which script is in it has to be asked each time. */
function revalidated(headers: string[]): string[] {
  const directives = headerValues(headers, 'cache-control').flatMap(listItems);
  const isAsked = directives.some((directive) => /^(?:no-cache|no-store)$/i.test(directive));
  return isAsked ? headers : [...headers, 'Cache-Control', 'no-cache'];
}
