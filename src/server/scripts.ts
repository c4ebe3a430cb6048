import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { OWN_PREFIX } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';

/** The files of the browser script. */
export interface Scripts {
  /** Of all of them together: other bytes are another version. Empty when there are none. */
  readonly version: string;
  /**
   * Answer a request for one of them.
   *
   * @param target - Path and query.
   * @returns false when it asks for something else.
   * @throws {ProxyError} `METHOD_NOT_ALLOWED`.
   */
  answer(req: IncomingMessage, res: ServerResponse, target: string): boolean;
}

interface File {
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

const YEAR_SECONDS = 31_536_000;

/**
 * Read the files of the browser script.
 *
 * @param directory - Where the build has put them; what is not there is not served.
 */
export function readScripts(directory: URL): Scripts {
  const files = new Map<string, File>();
  const all = createHash('sha256');
  for (const name of namesIn(directory)) {
    const body = readFileSync(new URL(name, directory));
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
    all.update(body);
    files.set(`${OWN_PREFIX}${name}`, { body, gzip: gzipSync(body, { level: 9 }), etag });
  }
  const version = files.size === 0 ? '' : all.digest('hex').slice(0, 10);
  return {
    version,
    answer(req, res, target) {
      const [path = '', query = ''] = target.split('?', 2);
      const file = files.get(path);
      if (!file) return false;
      if (req.method !== 'GET' && req.method !== 'HEAD') throw new ProxyError('METHOD_NOT_ALLOWED');
      respond(req, res, file, new URLSearchParams(query).get('v') === version);
      return true;
    },
  };
}

function respond(req: IncomingMessage, res: ServerResponse, file: File, isVersioned: boolean) {
  const { 'accept-encoding': accepted = '', 'if-none-match': known = '' } = req.headers;
  const shared = {
    etag: file.etag,
    vary: 'Accept-Encoding',
    'cache-control': isVersioned ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
  };
  if (known.includes(file.etag)) {
    res.writeHead(304, shared).end();
    return;
  }
  const isGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(String(accepted));
  const body = isGzip ? file.gzip : file.body;
  res.writeHead(200, {
    ...shared,
    'content-type': 'text/javascript; charset=utf-8',
    'content-length': body.length,
    ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
  });
  res.end(req.method === 'HEAD' ? undefined : body);
}

function namesIn(directory: URL): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.js'))
      .sort();
  } catch {
    return [];
  }
}
