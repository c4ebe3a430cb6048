import type { RawHeaders } from '../../shared/raw-headers.ts';
import { codingToAskFor, throughSteps } from '../body-coding.ts';
import type { RewritableHead, Rewriting, Rewritten } from '../rewriting.ts';
import { mapHeaders } from '../rewriting.ts';
import type { PageDecision } from './page-answer.ts';
import { decide } from './page-answer.ts';
import { PageEditor } from './page-editor.ts';
import type { PageOptions } from './page-edits.ts';
import type { KnownPages, PageHeaders } from './page-headers.ts';
import type { PageRequest } from './page-request.ts';
import type { PolicyUrl } from './policy-sources.ts';
import { scriptTags } from './script-tags.ts';
import type { SeenPages } from './seen-pages.ts';
import type { WholePages } from './whole-page.ts';

/** What one visit is made of. */
export interface PageVisitOptions {
  readonly request: PageRequest;
  /** As the browser names the page. */
  readonly pageUrl: URL;
  /** Of the script. */
  readonly version: string;
  readonly headers: PageHeaders;
  readonly whole: WholePages;
  readonly seen: SeenPages;
}

/** An answer that is there as a whole. */
export interface WholeAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

type Injected = Extract<PageDecision, { readonly kind: 'inject' }>;

/** One load of a page that is to get the script, by a stream from the site or from what is known. */
export class PageVisit implements Rewriting {
  readonly #options: PageVisitOptions;
  #known: KnownPages = { headers: [], opaque: [] };

  constructor(options: PageVisitOptions) {
    this.#options = options;
  }

  request(headers: RawHeaders): string[] {
    this.#known = this.#options.headers.request(headers);
    return [
      ...mapHeaders(this.#known.headers, (name, value) =>
        name === 'accept-encoding' ? undefined : value,
      ),
      'Accept-Encoding',
      codingToAskFor(headers),
    ];
  }

  response(head: RewritableHead): Rewritten {
    const { status, method } = head;
    // What comes before the answer says nothing of a page.
    if (status < 200) return { headers: [...head.headers], body: [] };
    if (status === 304) {
      const headers = this.#options.headers.confirmed(head.headers, this.#known);
      return { headers, body: [] };
    }
    const decision = this.#decide(head);
    if (!decision) return { headers: [...head.headers], body: [] };
    const headers = this.#injectedHeaders(head.headers, decision);
    if (method === 'HEAD') return { headers, body: [] };
    const editor = new PageEditor(
      this.#tags(decision),
      this.#readingOptions(decision),
      this.#onPlace,
    );
    return { headers, body: throughSteps(decision.coding, [editor]) };
  }

  /** The headers of a request as what is known here is to be compared with. */
  conditions(headers: RawHeaders): RawHeaders {
    this.#known = this.#options.headers.request(headers);
    return this.#known.headers;
  }

  /** An answer to those, for a `GET`, with the script in it; `undefined` when it gets none. */
  change(answer: WholeAnswer): WholeAnswer | undefined {
    const { headers: pageHeaders, whole } = this.#options;
    const raw = Object.entries(answer.headers).flat();
    if (answer.status === 304) {
      return { ...answer, headers: asRecord(pageHeaders.confirmed(raw, this.#known)) };
    }
    const decision = this.#decide({ method: 'GET', status: answer.status, headers: raw });
    if (!decision) return undefined;
    const body = whole.inject(answer.body, this.#readingOptions(decision), this.#tags(decision));
    this.#onPlace(body !== undefined);
    if (!body) return undefined;
    const headers = asRecord(this.#injectedHeaders(raw, decision));
    return { ...answer, headers: { ...headers, 'content-length': String(body.length) }, body };
  }

  /** `undefined` when the answer is left as it is. */
  #decide(head: RewritableHead): Injected | undefined {
    const { pageUrl, request, seen } = this.#options;
    const scheme = pageUrl.protocol === 'https:' ? 'https' : 'http';
    const own = (path: string): PolicyUrl => ({ scheme, host: pageUrl.host, path });
    const scripts = [own('/_comet/client.js'), own('/_comet/link.js')];
    const urls = { scripts, connect: own('/_comet/sse') };
    const decision = decide(head, urls, pageUrl);
    if (decision.kind === 'inject') return decision;
    const { reason } = decision;
    const isUnexpected = decision.kind === 'untouched';
    seen.note(request.target, request.pattern, { isInjected: false, reason, isUnexpected });
    return undefined;
  }

  #injectedHeaders(headers: RawHeaders, { live, refresh }: Injected): string[] {
    // A ticket is for the one who has asked, for an hour: nobody may be told that a page with it is new.
    const storing = live !== undefined && /;\s*ticket=/.test(live) ? 'useless' : 'useful';
    const injected = this.#options.headers.injected(headers, storing);
    return refresh
      ? mapHeaders(injected, (name, value) => (name === 'refresh' ? undefined : value))
      : injected;
  }

  #tags({ isXml, nonce, live, refresh }: Injected): string {
    const { version } = this.#options;
    return scriptTags({ version, isXml, nonce, live, refresh });
  }

  #readingOptions({ isXml, live, refresh }: Injected): PageOptions {
    const { pageUrl, request } = this.#options;
    const ownRefresh = live === undefined ? undefined : pageUrl;
    // What was taken off the headers must find a place.
    if (refresh) return { isXml, becomes: 'document', ownRefresh };
    const becomes = request.isNavigation ? 'document-with-tags' : 'unknown';
    return { isXml, becomes, ownRefresh };
  }

  readonly #onPlace = (hasPlace: boolean): void => {
    const { request, seen } = this.#options;
    const { source } = request.pattern;
    const reason = hasPlace
      ? `the path matches "${source}"`
      : 'what the site sent does not begin as a page does';
    seen.note(request.target, request.pattern, {
      isInjected: hasPlace,
      reason,
      isUnexpected: false,
    });
  };
}

function asRecord(headers: RawHeaders): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    const value = headers[i + 1] ?? '';
    const before = record[name];
    record[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return record;
}
