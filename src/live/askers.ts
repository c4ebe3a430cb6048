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

/** Those with whose credentials one channel may be polled: the first that the site still lets in. */
export class Askers {
  readonly #askers = new Map<Asker, (refusal: Ended) => void>();
  /** Sessions that may become one of them. */
  sessions = 0;

  /** With whose credentials it is polled now. */
  get current(): Asker | undefined {
    return this.#askers.keys().next().value;
  }

  /** @param onRefused - Called once, when the site does not let it in any more. */
  add(asker: Asker, onRefused: (refusal: Ended) => void): void {
    this.#askers.set(asker, onRefused);
  }

  remove(asker: Asker): void {
    this.#askers.delete(asker);
  }

  /** The site does not let this one in any more: it is the next one's turn. */
  refuse(asker: Asker, refusal: Ended): void {
    const onRefused = this.#askers.get(asker);
    this.#askers.delete(asker);
    onRefused?.(refusal);
  }
}
