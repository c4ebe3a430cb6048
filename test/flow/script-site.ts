import type { TestContext } from 'node:test';
import type { Clock } from '../../src/shared/clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** A site of which `/state` is live, with the script in its pages. */
export interface ScriptSite {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  state: object;
}

/** What the script of a page of our own sends. */
export const ownPage = { 'sec-fetch-site': 'same-origin', 'user-agent': 'node' };

/** Start it behind a proxy; both are closed when the test ends. */
export async function scriptSite(
  t: TestContext,
  keys: object = {},
  config: object = {},
  clock?: Clock,
): Promise<ScriptSite> {
  const upstream = await startUpstream(t, (req, res) => {
    const { cookie, 'x-token': token } = req.headers;
    if (req.url?.endsWith('fail')) res.statusCode = 500;
    if (req.url?.endsWith('personal')) res.setHeader('set-cookie', `s=${Math.random()}`);
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ ...site.state, cookie, token }));
  });
  const live = { '/state': { every: '50ms', ...keys } };
  const complete = { site: upstream.url, live, inject: ['/**'], ...config };
  const proxy = await startTestProxy(t, complete, clock);
  const site: ScriptSite = { proxy, upstream, state: { n: 1 } };
  return site;
}

/** What `Comet-Live` says. */
export interface Told {
  readonly address: string;
  readonly parameters: Readonly<Record<string, string | true>>;
  /** How a stream asks for it. */
  readonly query: string;
}

/** Read the header of an answer. */
export function live({ headers }: Response): Told {
  const value = headers.get('comet-live') ?? '';
  const [, address = ''] = /^"([^"]*)"/.exec(value) ?? [];
  const parameters = Object.fromEntries(
    [...value.matchAll(/;(\w+)(?:="([^"]*)")?/g)].map(([, name, text]) => [name, text ?? true]),
  );
  const ticket = parameters['ticket'] === undefined ? '' : `&ticket=${parameters['ticket']}`;
  return { address, parameters, query: `url=${encodeURIComponent(address)}${ticket}` };
}
