import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { codingToAskFor, readableCoding, throughSteps } from './body-coding.ts';
import { mapPolicy } from './content-security-policy.ts';
import { marked, opaqueOf } from './entity-tags.ts';
import type { Rewriting } from './rewriting.ts';
import { mapHeaders } from './rewriting.ts';
import { TagRewriter } from './tag-rewriter.ts';
import { mapLink, mapRefresh } from './url-headers.ts';
import type { Mapping } from './url-map.ts';
import { toPublicReference } from './url-map.ts';
import type { UrlRules } from './url-rewriter.ts';
import { UrlRewriter } from './url-rewriter.ts';

const HTML = /^(?:text\/html|application\/xhtml\+xml)$/;
const TEXTS =
  /^(?:text\/html|application\/xhtml\+xml|text\/css|(?:text|application)\/(?:x-)?(?:javascript|ecmascript)|application\/(?:[\w.-]+\+)?json)$/;
/** Charsets of which a character is no byte, or no ASCII byte. */
const WIDE = /charset\s*=\s*"?\s*(?:utf-?16|utf-?32|ucs|iso-10646)/i;

/** Headers that describe the bytes of a body which is another one now. */
const OF_THE_BODY =
  /^(?:content-length|accept-ranges|last-modified|digest|content-digest|repr-digest|content-md5)$/;

/** Is this a type in which URLs are looked for? */
export function isRewritable(contentType: string | undefined): boolean {
  if (contentType === undefined || WIDE.test(contentType)) return false;
  return TEXTS.test(contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '');
}

/**
 * Let polls give what a page would have got: the state with the same URLs in it.
 *
 * @returns For the headers of a poll, what makes of an answer's body the one that clients get.
 */
export function createStateRewriting(rules: UrlRules) {
  return (request: RawHeaders) => {
    const isEncrypted = headerValue(request, 'x-forwarded-proto') === 'https';
    const publicOrigin = {
      scheme: isEncrypted ? ('https' as const) : ('http' as const),
      authority: headerValue(request, 'x-forwarded-host') ?? '',
    };
    return (answer: { readonly headers: ReadonlyMap<string, string> }, body: Buffer): Buffer => {
      if (!isRewritable(answer.headers.get('content-type'))) return body;
      const rewriter = new UrlRewriter(rules, publicOrigin);
      return Buffer.from(rewriter.write(body.toString('latin1')) + rewriter.end(), 'latin1');
    };
  };
}

/**
 * Make the site's pages name the mounts where they name the Comet origins: in bodies of HTML, CSS,
 * JavaScript and JSON, in links, redirects and policies. Everything else passes as it is.
 *
 * @param site - The site itself, which relative redirects are relative to.
 */
export function siteRewriting(rules: UrlRules, downstream: Downstream, site: Mapping): Rewriting {
  const publicOrigin = { scheme: downstream.scheme, authority: downstream.authority };
  const { authorities } = rules;
  const mark = rules.markOf(publicOrigin);
  const writer = {
    mapping: site,
    mappings: rules.mappings,
    requestPath: '/',
    publicAuthority: downstream.host,
  };
  const toPublic = (url: string) =>
    /^(?:[a-z]+:)?\/\//i.test(url) ? toPublicReference(url, writer) : undefined;
  /** Tags that the client has got of us, without the mark. */
  const sentTags = new Set<string>();

  function requestHeader(name: string, value: string): string | undefined {
    if (name === 'accept-encoding') return undefined; // said anew below
    if (name !== 'if-none-match' && name !== 'if-match') return value;
    return value.replace(/(?:W\/)?"([^"]*)"/g, (tag, opaque: string) => {
      if (!opaque.endsWith(mark)) return tag;
      const own = opaque.slice(0, -mark.length);
      sentTags.add(own);
      // If-Match compares strongly (RFC 9110 §13.1.1); it is we who made the tag a weak one.
      return name === 'if-match' ? `"${own}"` : `W/"${own}"`;
    });
  }

  function responseHeader(name: string, value: string): string | undefined {
    switch (name) {
      case 'location':
      case 'content-location':
        return toPublic(value) ?? value;
      case 'refresh':
        return mapRefresh(value, toPublic);
      case 'link':
        return mapLink(value, toPublic, authorities);
      case 'content-security-policy':
      case 'content-security-policy-report-only':
        return mapPolicy(value, authorities);
      default:
        return value;
    }
  }

  return {
    request(headers) {
      return [...mapHeaders(headers, requestHeader), 'Accept-Encoding', codingToAskFor(headers)];
    },
    response({ status, method, headers: raw }) {
      const headers = mapHeaders(raw, responseHeader);
      if (status === 304) {
        const tag = opaqueOf(headerValue(raw, 'etag') ?? '');
        const isOurs = tag !== undefined && sentTags.has(tag);
        return { headers: isOurs ? marked(headers, mark) : headers, body: [] };
      }
      const contentType = headerValue(raw, 'content-type');
      const coding = readableCoding(raw);
      // A part of a body cannot be rewritten: what begins or ends in it is not known.
      if (!isRewritable(contentType) || !coding || status === 206) return { headers, body: [] };
      const ofText = marked(
        mapHeaders(headers, (name, value) => (OF_THE_BODY.test(name) ? undefined : value)),
        mark,
      );
      if (method === 'HEAD' || status === 204) return { headers: ofText, body: [] };
      const isHtml = HTML.test(contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '');
      const steps = [
        ...(isHtml ? [new TagRewriter(downstream.host, authorities)] : []),
        new UrlRewriter(rules, publicOrigin),
      ];
      return { headers: ofText, body: throughSteps(coding, steps) };
    },
  };
}
