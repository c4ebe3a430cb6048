import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Http2ServerResponse } from 'node:http2';
import { wasCutShort } from '../shared/truncate.ts';
import { http2Headers } from './http2-headers.ts';
import type { Http1LikeRequest } from './http2-request.ts';

/** An answer over HTTP/2 that is written and watched like one of HTTP/1. */
export class Http1LikeResponse extends Http2ServerResponse<Http1LikeRequest> {
  constructor(stream: ServerHttp2Stream) {
    super(stream);
    Object.defineProperties(this, {
      destroyed: { get: () => stream.destroyed || stream.closed },
      writableFinished: { get: () => !wasCutShort(stream) },
    });
  }

  /** Takes headers as those of HTTP/1 are given; what only HTTP/1 has is left out. */
  override writeHead(status: number, ...rest: readonly unknown[]): this {
    const given = rest.at(-1);
    const headers = typeof given === 'object' && given !== null ? given : {};
    try {
      return super.writeHead(status, http2Headers(headers as OutgoingHttpHeaders | string[]));
    } catch (error) {
      // Else they would be those of the error's answer, too.
      if (!this.headersSent) for (const name of this.getHeaderNames()) this.removeHeader(name);
      throw error;
    }
  }

  /** As in HTTP/1, also a list of pairs. */
  override addTrailers(trailers: OutgoingHttpHeaders | readonly Pair[]): void {
    super.addTrailers(http2Headers(isList(trailers) ? trailers.flat() : trailers));
  }
}

type Pair = readonly [name: string, value: string];

function isList(trailers: OutgoingHttpHeaders | readonly Pair[]): trailers is readonly Pair[] {
  return Array.isArray(trailers);
}
