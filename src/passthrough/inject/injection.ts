import type { Downstream } from '../../shared/downstream.ts';
import { ownOrigin } from '../../shared/downstream.ts';
import type { InjectReport } from '../../shared/explanation.ts';
import type { Logger } from '../../shared/logger.ts';
import type { PathPattern } from '../../shared/path-pattern.ts';
import { compareSpecificity } from '../../shared/path-pattern.ts';
import type { RawHeaders } from '../../shared/raw-headers.ts';
import { PageHeaders } from './page-headers.ts';
import { pageRequest, patternOf } from './page-request.ts';
import { PageVisit } from './page-visit.ts';
import { SeenPages } from './seen-pages.ts';
import { WholePages } from './whole-page.ts';

/** What injection is made of. */
export interface InjectionOptions {
  /** Pages that get the script. */
  readonly patterns: readonly PathPattern[];
  /** Of the script. */
  readonly version: string;
  /** Patterns of the config's `live`: what is live itself gets other tags. */
  readonly live: readonly string[];
  readonly log: Logger;
}

/** A request, as far as it matters here. */
export interface PageExchange {
  readonly req: { readonly method?: string | undefined; readonly rawHeaders: RawHeaders };
  readonly target: string;
  readonly downstream: Downstream;
}

/** Puts the browser script into the site's pages. */
export class Injection {
  readonly #options: InjectionOptions;
  /** The most specific first. */
  readonly #patterns: readonly PathPattern[];
  readonly #headers: PageHeaders;
  readonly #whole = new WholePages();
  readonly #seen: SeenPages;

  constructor(options: InjectionOptions) {
    const { patterns, version, live, log } = options;
    this.#options = options;
    this.#patterns = [...patterns].sort(compareSpecificity);
    this.#headers = new PageHeaders(JSON.stringify([version, live]));
    this.#seen = new SeenPages(log);
  }

  /** One exchange; `undefined` when it does not load a page that is to get the script. */
  visit({ req, target, downstream }: PageExchange): PageVisit | undefined {
    const { method = '', rawHeaders: headers } = req;
    const request = pageRequest({ method, headers, target }, this.#patterns);
    const origin = ownOrigin(downstream);
    if (!request || !URL.canParse(origin + target)) return undefined;
    return new PageVisit({
      request,
      pageUrl: new URL(origin + target),
      version: this.#options.version,
      headers: this.#headers,
      whole: this.#whole,
      seen: this.#seen,
    });
  }

  /** What is known of pages at this target. */
  explain(target: string): InjectReport {
    return explainInjection(this.#patterns, target, this.#seen);
  }
}

/**
 * What is known of pages at a target.
 *
 * @param patterns - The config's `inject`.
 * @param seen - Of a running proxy: what it has sent.
 */
export function explainInjection(
  patterns: readonly PathPattern[],
  target: string,
  seen?: SeenPages,
): InjectReport {
  const pattern = patternOf(target, [...patterns].sort(compareSpecificity));
  if (!pattern) return { injected: 'no', reason: 'the path matches no pattern of "inject"' };
  const matches = `the path matches "${pattern.source}"`;
  if (!seen) return { injected: 'unknown', reason: matches };
  return seen.last(target) ?? { injected: 'unknown', reason: `${matches}, but no page was sent` };
}
