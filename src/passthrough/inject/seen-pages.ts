import { LRUCache } from 'lru-cache';
import type { InjectReport } from '../../shared/explanation.ts';
import type { Logger } from '../../shared/logger.ts';
import { redactUrl } from '../../shared/logger.ts';
import type { PathPattern } from '../../shared/path-pattern.ts';

/** Whether a page has got the script. */
export interface PageOutcome {
  readonly isInjected: boolean;
  readonly reason: string;
  /** Somebody would expect the script in it: say so in the log. */
  readonly isUnexpected: boolean;
}

/** SECURITY: clients choose paths. Of so many the last outcome is known, if they are no longer than this. */
const MAX_PATHS = 500;
const MAX_PATH_LENGTH = 500;

/** Remembers which pages got the script, and says once for each pattern and reason which did not. */
export class SeenPages {
  readonly #log: Logger;
  readonly #byPath = new LRUCache<string, PageOutcome>({ max: MAX_PATHS });
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** A page of this pattern was sent. @param target - Path and query. */
  note(target: string, pattern: PathPattern, outcome: PageOutcome): void {
    const path = pathOf(target);
    if (path.length <= MAX_PATH_LENGTH) this.#byPath.set(path, outcome);
    const { isUnexpected, reason } = outcome;
    const key = JSON.stringify([pattern.source, reason]);
    if (!isUnexpected || this.#told.has(key)) return;
    this.#told.add(key);
    const fields = { inject: pattern.source, url: redactUrl(path) };
    this.#log.warn(fields, `a page is left without the browser script: ${reason}`);
  }

  /** What became of the last page at this path; `undefined` when none is remembered. */
  last(target: string): Pick<InjectReport, 'injected' | 'reason'> | undefined {
    const outcome = this.#byPath.get(pathOf(target));
    return outcome && { injected: outcome.isInjected ? 'yes' : 'no', reason: outcome.reason };
  }
}

/** Without what may name a session: `/app;jsessionid=…`. */
function pathOf(target: string): string {
  return (target.split('?', 1)[0] ?? '').replace(/;[^/]*/g, '');
}
