import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Http2ServerRequest } from 'node:http2';
import type { ReadableOptions } from 'node:stream';
import { http1Headers } from './http1-headers.ts';

/**
 * A request over HTTP/2 that reads like one of HTTP/1: its raw headers name the host, have no
 * pseudo-headers, and say whether there is a body.
 */
export class Http1LikeRequest extends Http2ServerRequest {
  /** Why it must not be passed on, if so. */
  readonly problem: string | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    options: ReadableOptions,
    raw: readonly string[],
  ) {
    super(stream, headers, options, raw);
    // Nothing follows when the end of the headers was the end of the request.
    const read = http1Headers(raw, { mayHaveBody: !stream.endAfterHeaders });
    this.problem = read.problem;
    const host = headers[':authority'] ?? headers.host;
    Object.defineProperties(this, {
      rawHeaders: { value: read.headers },
      headers: { value: host === undefined ? headers : { ...headers, host } },
    });
  }
}
