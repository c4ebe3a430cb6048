import type { Transform } from 'node:stream';
import { Injection } from '../../src/passthrough/inject/injection.ts';
import { parsePattern } from '../../src/shared/path-pattern.ts';
import { headerValues } from '../../src/shared/raw-headers.ts';
import { clientOf } from '../rewriting/upstreams.ts';
import type { LogLine } from '../support/recording-log.ts';
import { recordingLog } from '../support/recording-log.ts';

/** One load of a page. */
export interface Visit {
  readonly method?: string;
  readonly status?: number;
  /** Of the request, besides those of a navigation. */
  readonly sent?: readonly string[];
  /** Of the site's answer. */
  readonly headers: readonly string[];
  readonly target?: string;
  readonly isStream?: boolean;
}

/** What becomes of it. */
export interface SeenVisit {
  readonly request: readonly string[];
  readonly headers: readonly string[];
  /** The values of one header of the answer, joined; `name` in lower case. */
  header(name: string): string;
  /** What the body has to go through; empty when it is not touched. */
  readonly body: readonly Transform[];
}

/** An injection of the script in this version, with what it logs. */
export function injectionOf({
  version = '0123456789',
  inject = ['/**'],
  live = [] as readonly string[],
} = {}): { injection: Injection; lines: LogLine[] } {
  const { log, lines } = recordingLog();
  const patterns = inject.map(parsePattern);
  return { injection: new Injection({ patterns, version, live, log }), lines };
}

/** Load a page of the site. */
export function visit(
  { method = 'GET', status = 200, sent = [], headers, target = '/', isStream = false }: Visit,
  { injection } = injectionOf(),
): SeenVisit {
  const rawHeaders = ['Sec-Fetch-Dest', 'document', ...sent];
  const downstream = clientOf('https://shop.example');
  const page = injection.visit({ req: { method, rawHeaders }, target, downstream });
  if (!page) throw new Error('this request loads no page');
  const request = page.request(rawHeaders).slice(2);
  const seen = page.response({ method, status, headers, isStream });
  return { request, ...seen, header: (name) => headerValues(seen.headers, name).join(', ') };
}
