import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';

/** The HTTP/2 stream that a request or an answer travels on; `undefined` for HTTP/1. */
export function http2StreamOf(message: object): ServerHttp2Stream | undefined {
  return 'stream' in message ? (message.stream as ServerHttp2Stream) : undefined;
}

/**
 * End an answer so that the client can tell that it is not whole: in HTTP/1.1 without its last
 * chunk or byte, in HTTP/1.0, where the end of the connection is the end of the answer, by a reset,
 * and in HTTP/2 by an error, since destroying its stream would end it well.
 */
export function truncate(res: ServerResponse): void {
  const stream = http2StreamOf(res);
  if (stream) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if (res.req.httpVersion === '1.0') res.socket?.resetAndDestroy();
  else res.destroy();
}

/** Ask when an answer is closed: did it end before all of it was sent? */
export function isAborted(res: ServerResponse): boolean {
  const stream = http2StreamOf(res);
  return stream ? wasCutShort(stream) : !res.writableFinished;
}

/** A cancelled stream says of itself that it is finished: Node ends it for its owner. */
export function wasCutShort(stream: ServerHttp2Stream): boolean {
  return (
    stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR || !stream.writableFinished
  );
}
