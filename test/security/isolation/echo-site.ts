import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import type { Upstream } from '../../support/upstream.ts';
import { startUpstream } from '../../support/upstream.ts';
import type { IsolatedEndpoint } from './endpoints.ts';
import { endpointOf, markerOf, TOKEN } from './endpoints.ts';
import type { Content, View } from './view.ts';
import { valuesOf } from './view.ts';

/** What the site answers: which state it is, and what it takes the client for. */
export interface Told {
  readonly version: number;
  readonly you: string;
}

/** A site that tells everybody what it takes them for. */
export interface EchoSite {
  readonly upstream: Upstream;
  /** Its state: every `POST /change` is one. */
  readonly version: number;
  /** What polls carried that they must not, each in words. */
  readonly leaks: readonly string[];
}

/** Every line of a client that no endpoint varies on begins so. */
export const NOISE = 'X-Noise: ';

const OF_EVERY_POLL = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'host',
  'if-none-match',
  'user-agent',
  'via',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** Start it; it is closed when the test ends. */
export async function startEchoSite(t: TestContext): Promise<EchoSite> {
  const leaks: string[] = [];
  let version = 0;
  const upstream = await startUpstream(t, async (req, res) => {
    if (req.url === '/change') {
      version += 1;
      return res.end();
    }
    const text = (await req.setEncoding('utf8').toArray()).join('');
    const view = viewOf(req, { type: req.headers['content-type'] ?? '', text });
    const endpoint = endpointOf(view.target);
    if (!endpoint) return res.writeHead(404).end();
    if (isPoll(req)) leaks.push(...strayHeaders(view, endpoint));
    if (!endpoint.admits(view)) return res.writeHead(401).end();
    const you = markerOf(endpoint, view);
    const shown = req.headers[TOKEN];
    if (endpoint.handsOut && shown !== you) {
      if (shown !== undefined) leaks.push(`a token of another client comes to ${view.target}`);
      return res.writeHead(409, { [TOKEN]: you }).end();
    }
    const body = JSON.stringify({ version, you } satisfies Told);
    res.setHeader('content-type', 'application/json');
    const tag = `"${createHash('sha256').update(body).digest('hex')}"`;
    if (endpoint.hasTags) res.setHeader('etag', tag);
    if (endpoint.hasTags && req.headers['if-none-match'] === tag) res.writeHead(304).end();
    else res.end(body);
  });
  return {
    upstream,
    leaks,
    get version() {
      return version;
    },
  };
}

function isPoll(req: IncomingMessage): boolean {
  return req.headers['user-agent']?.startsWith('comet-proxy/') ?? false;
}

function viewOf({ url = '', rawHeaders }: IncomingMessage, content: Content): View {
  const headers = { headers: rawHeaders };
  const hops = valuesOf(headers, 'x-forwarded-for').flatMap((value) => value.split(', '));
  return {
    target: url,
    host: valuesOf(headers, 'host')[0] ?? '',
    scheme: valuesOf(headers, 'x-forwarded-proto')[0] ?? '',
    address: hops.filter((hop) => hop !== '127.0.0.1').at(-1) ?? '',
    headers: rawHeaders,
    content,
  };
}

function strayHeaders({ target, headers }: View, endpoint: IsolatedEndpoint): string[] {
  const { handsOut } = endpoint;
  const components = [...endpoint.components, ...endpoint.authorizedBy];
  return headers
    .flatMap((name, i) => (i % 2 === 0 ? pieces(name.toLowerCase(), headers[i + 1] ?? '') : []))
    .filter(({ name }) => !OF_EVERY_POLL.has(name) && !(handsOut && name === TOKEN))
    .filter(({ name, value }) => !components.some((one) => one.carries(name, value)))
    .map(({ name, value }) => `a poll of ${target} carries "${name}: ${value}"`);
}

/** A header, or each cookie of one. */
function pieces(name: string, value: string): { name: string; value: string }[] {
  const values = name === 'cookie' ? value.split(';').map((pair) => pair.trimStart()) : [value];
  return values.map((one) => ({ name, value: one }));
}
