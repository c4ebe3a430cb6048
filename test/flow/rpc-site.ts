import type { TestContext } from 'node:test';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** One request that reached the site, with its body. */
export interface SeenCall {
  readonly method: string;
  readonly body: string;
  readonly type: string | undefined;
  readonly session: string | undefined;
}

/** A site with one URL for everything, `/rpc`: `list` shows a counter, `add` moves it. */
export interface RpcSite {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  readonly calls: SeenCall[];
  /** Calls of a method, polls and others. */
  of(method: string): SeenCall[];
  /** Calls without this session id are refused with it, as `409`. */
  session: string | undefined;
  /** Call as a page does. */
  call(body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** How polls of `list` are told from actions. */
export const LIST = { method: 'POST', match: { body: { '/method': 'list' } } };

/** Start it behind a proxy; both are closed when the test ends. */
export async function openRpcSite(
  t: TestContext,
  live: object | readonly object[] = LIST,
): Promise<RpcSite> {
  let count = 0;
  const calls: SeenCall[] = [];
  const upstream = await startUpstream(t, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const session = req.headers['x-session'];
      const { method = '', headers } = req;
      calls.push({ method, body, type: headers['content-type'], session: session?.toString() });
      if (site.session !== undefined && session !== site.session) {
        res.writeHead(409, { 'x-session': site.session }).end('no session');
        return;
      }
      const { method: asked, id, view } = parse(body);
      if (asked === 'add') count += 1;
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ asked, view, count, ...(id === undefined ? {} : { id }) }));
    });
  });
  const one = { every: '1h', vary: [] };
  const endpoints = Array.isArray(live)
    ? live.map((keys: object) => ({ ...one, ...keys }))
    : { ...one, ...live };
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/rpc': endpoints },
    origins: ['https://partner.example'],
    inject: ['/**'],
  });
  const site: RpcSite = {
    proxy,
    upstream,
    calls,
    session: undefined,
    of: (method) => calls.filter(({ body }) => parse(body).method === method),
    call: (body, headers = {}) =>
      fetch(`${proxy.url}/rpc`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
  };
  return site;
}

function parse(body: string): { method?: string; id?: unknown; view?: unknown } {
  try {
    return JSON.parse(body) as object;
  } catch {
    return Object.fromEntries(new URLSearchParams(body));
  }
}
