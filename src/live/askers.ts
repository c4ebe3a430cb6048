import type { Answer } from '../poll/answer.ts';
import type { Ended } from '../poll/detect.ts';

/** Asks the site with the credentials of one identity. */
export interface Asker {
  /** The `Cookie` lines that it sends now. */
  readonly cookies: readonly string[];
  /**
   * Send one request.
   *
   * @param conditions - Header names and values that make it a conditional one.
   * @throws {ProxyError} when there is no whole answer.
   */
  ask(conditions: readonly string[], signal: AbortSignal): Promise<Answer>;
}

/** What is known of an asker. */
export interface AskerOptions {
  /** It was answered with an HTML page. */
  readonly isPage: boolean;
  /** Called once, when the site does not let it in any more. */
  readonly onRefused: (refusal: Ended) => void;
}

/** Those with whose credentials one channel may be polled: the first that the site still lets in. */
export class Askers {
  readonly #askers = new Map<Asker, AskerOptions>();
  /** Sessions that may become one of them. */
  sessions = 0;

  /** With whose credentials it is polled now. */
  get current(): Asker | undefined {
    return this.#askers.keys().next().value;
  }

  add(asker: Asker, options: AskerOptions): void {
    this.#askers.set(asker, options);
  }

  remove(asker: Asker): void {
    this.#askers.delete(asker);
  }

  /** The site does not let this one in any more: it is the next one's turn. */
  refuse(asker: Asker, refusal: Ended): void {
    const options = this.#askers.get(asker);
    this.#askers.delete(asker);
    options?.onRefused(refusal);
  }

  /** Somebody gets data where these got pages: they were never let in. @returns if there were any. */
  refusePages(refusal: Ended): boolean {
    const pages = [...this.#askers].filter(([, { isPage }]) => isPage);
    for (const [asker] of pages) this.refuse(asker, refusal);
    return pages.length > 0;
  }
}
