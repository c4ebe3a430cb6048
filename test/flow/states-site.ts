import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** What a site answers on one path. */
export interface SiteState {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** A site whose answers a test sets, path by path. */
export interface StatesSite extends Upstream {
  /** What this path answers from now on; a text stands for JSON. */
  set(path: string, state: string | SiteState | ((req: IncomingMessage) => SiteState)): void;
  /** How often the proxy has polled this path. */
  polls(path: string): number;
  /** How often a client's own request for this path has reached the site. */
  pages(path: string): number;
}

/** Start a site with these states; it is closed when the test ends. */
export async function startStates(
  t: TestContext,
  initial: Readonly<Record<string, string | SiteState>>,
): Promise<StatesSite> {
  const states = new Map<string, (req: IncomingMessage) => SiteState>();
  const upstream = await startUpstream(t, (req, res) => {
    const state = states.get(pathOf(req.url));
    const { status = 200, headers, body = '' } = state?.(req) ?? { status: 404 };
    res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  const count = (path: string, isPoll: boolean) =>
    upstream.requests.filter(({ url, headers }) => {
      const agent = headers['user-agent'] ?? '';
      return pathOf(url) === path && agent.startsWith('comet-proxy/') === isPoll;
    }).length;
  const site: StatesSite = {
    ...upstream,
    set(path, state) {
      if (typeof state === 'string') states.set(path, () => ({ body: state }));
      else states.set(path, typeof state === 'function' ? state : () => state);
    },
    polls: (path) => count(path, true),
    pages: (path) => count(path, false),
  };
  for (const [path, state] of Object.entries(initial)) site.set(path, state);
  return site;
}

function pathOf(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0] ?? '';
}
