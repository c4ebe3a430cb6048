import { isReadAsAscii } from '../../shared/charset.ts';
import { essence, isHtml } from '../../shared/media-type.ts';
import type { RawHeaders } from '../../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../../shared/raw-headers.ts';
import type { ReadableCoding } from '../body-coding.ts';
import { readableCoding } from '../body-coding.ts';
import type { RewritableHead } from '../rewriting.ts';
import type { ScriptUrls } from './script-policy.ts';
import { judgePolicies } from './script-policy.ts';
import { selfRefresh } from './self-refresh.ts';

/** What is done with the answer to a request that loads a page. */
export type PageDecision =
  | {
      readonly kind: 'inject';
      readonly isXml: boolean;
      readonly coding: ReadableCoding;
      readonly nonce: string | undefined;
      /** The `Comet-Live` of a page that is live itself. */
      readonly live: string | undefined;
      /** Its `Refresh` header, if it reloads the page itself. */
      readonly refresh: { readonly seconds: number; readonly content: string } | undefined;
    }
  /** It is no page, or none that anybody expects the script in. */
  | { readonly kind: 'other'; readonly reason: string }
  /** A page in which the script could not stand, run or connect. One of a few reasons. */
  | { readonly kind: 'untouched'; readonly reason: string };

/**
 * Decide by the head of an answer whether the page gets the script.
 *
 * @param pageUrl - As browsers name the page.
 */
export function decide(head: RewritableHead, urls: ScriptUrls, pageUrl: URL): PageDecision {
  const { headers } = head;
  const notAPage = otherReason(head);
  if (notAPage !== undefined) return { kind: 'other', reason: notAPage };
  const directives = headerValues(headers, 'cache-control').flatMap(listItems);
  if (directives.some((directive) => /^no-transform$/i.test(directive))) {
    return untouched('its Cache-Control says no-transform');
  }
  const coding = readableCoding(headers);
  if (!coding) return untouched('it comes in another Content-Encoding than gzip');
  const type = headerValue(headers, 'content-type') ?? '';
  if (!isReadAsAscii(type)) return untouched('in its charset the tags would be other bytes');
  const verdict = judgePolicies(headers, urls);
  if (verdict.kind === 'stopped') return untouched(verdict.reason);
  const isXml = essence(type) === 'application/xhtml+xml';
  const live = headerValue(headers, 'comet-live');
  // In XML a `<noscript>` is for everybody: there the page goes on to refresh itself.
  const refresh = live === undefined || isXml ? undefined : refreshOf(headers, pageUrl);
  return { kind: 'inject', isXml, coding, nonce: verdict.nonce, live, refresh };
}

function untouched(reason: string): PageDecision {
  return { kind: 'untouched', reason };
}

function otherReason({ status, headers, isStream = false }: RewritableHead): string | undefined {
  if (status < 200 || status === 204 || status === 205 || status === 206 || isRedirect(status)) {
    return 'its status shows no page';
  }
  const types = headerValues(headers, 'content-type');
  if (types.length !== 1 || !isHtml(types[0] ?? '')) return 'it is no HTML';
  if (isStream) return 'the site says that it is a stream';
  const disposition = headerValue(headers, 'content-disposition') ?? '';
  return /^\s*attachment\b/i.test(disposition) ? 'it is a download' : undefined;
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

function refreshOf(headers: RawHeaders, pageUrl: URL) {
  const values = headerValues(headers, 'refresh');
  const [content] = values;
  if (content === undefined || values.length > 1) return undefined;
  const refresh = selfRefresh(content, pageUrl, pageUrl);
  return refresh && { ...refresh, content };
}
