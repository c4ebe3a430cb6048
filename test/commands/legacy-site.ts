import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** Is in cookies, tokens and bodies of the site, and never to be printed. */
export const SECRET = 's3cret';

type Page = (req: IncomingMessage, res: ServerResponse, count: number) => void;

function send(res: ServerResponse, status: number, headers: object, body: string | Buffer): void {
  res.writeHead(status, { ...headers });
  res.end(body);
}
function json(res: ServerResponse, value: unknown, headers: object = {}): void {
  send(res, 200, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
}
function html(res: ServerResponse, body: string): void {
  send(res, 200, { 'content-type': 'text/html' }, `<html><body>${body}</body></html>`);
}
const sessionOf = ({ headers }: IncomingMessage) => /SESSION=(\w+)/.exec(headers.cookie ?? '')?.[1];

/** What software of another age does, path by path; `count` is how often it was asked for before. */
const PAGES: Readonly<Record<string, Page>> = {
  '/': (_req, res) => html(res, 'hello'),
  '/clock': (_req, res, count) => json(res, { generatedAt: count, text: SECRET }),
  '/page': (_req, res, count) => html(res, `<p id="now">${count}</p><p>${SECRET}</p>`),
  '/cookies': (_req, res, count) =>
    json(res, {}, { 'set-cookie': [`SID=${SECRET}${count}`, `lang=${SECRET}`] }),
  '/private': (_req, res) => json(res, {}, { 'cache-control': 'private, max-age=0' }),
  '/mine': (req, res) => {
    const session = sessionOf(req);
    if (session) json(res, { session });
    else send(res, 401, { 'www-authenticate': 'Basic' }, SECRET);
  },
  '/behind-login': (req, res) => {
    if (sessionOf(req)) json(res, {});
    else send(res, 302, { location: `/login?next=${SECRET}` }, '');
  },
  '/form': (_req, res) => html(res, `<input type="password" value="${SECRET}">`),
  '/by-session': (req, res, count) => json(res, { session: sessionOf(req) ?? '', count }),
  '/validated': (req, res) => {
    const etag = '"1"';
    if (req.headers['if-none-match'] === etag) send(res, 304, { etag }, '');
    else json(res, {}, { etag });
  },
  '/broken-validator': (_req, res) => json(res, {}, { etag: 'W/"1"' }),
  '/packed': (_req, res) => {
    const body = gzipSync(JSON.stringify({ text: 'x'.repeat(2_000) }));
    send(res, 200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, body);
  },
  '/large': (_req, res) => json(res, { text: 'x'.repeat(2_000) }),
  '/silent': () => undefined,
  '/endless': (_req, res) => {
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    res.write('data: 1\n\n');
  },
  '/failing': (_req, res) => send(res, 503, {}, SECRET),
};

/** Start a site of another age. */
export function startLegacySite(t: TestContext): Promise<Upstream> {
  const counts = new Map<string, number>();
  const handler: RequestListener = (req, res) => {
    const path = req.url?.split('?', 1)[0] ?? '';
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    const page = PAGES[path] ?? ((_req, missing) => send(missing, 404, {}, 'nothing'));
    page(req, res, count);
  };
  return startUpstream(t, handler);
}
