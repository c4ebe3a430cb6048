import { once } from 'node:events';
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  OutgoingHttpHeaders,
} from 'node:http2';
import { connect } from 'node:http2';
import type { TestContext } from 'node:test';

/** An answer over HTTP/2. */
export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
  /** 0 when it came to its proper end. */
  readonly resetCode: number;
}

/** Connect over TLS to a port of the loopback; ended with the test. */
export async function connectHttp2(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = connect(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    servername: 'localhost',
  });
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  await once(session, 'connect');
  return session;
}

/** Send a request. What is not given is a GET of `/` on `site.test`. */
export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  { endStream = true } = {},
): ClientHttp2Stream {
  const complete = { ':path': '/', ':authority': 'site.test', ...headers };
  const stream = session.request(complete, { endStream });
  stream.on('error', () => undefined);
  return stream;
}

/** Read an answer until its stream is over. */
export async function readHttp2(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let body = '';
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('trailers', (received) => {
    trailers = received;
  });
  stream.setEncoding('latin1').on('data', (text: string) => {
    body += text;
  });
  if (!stream.destroyed) {
    await new Promise<void>((resolve) => stream.once('close', () => resolve()));
  }
  const status = Number(headers[':status'] ?? 0);
  return { status, headers, trailers, body, resetCode: stream.rstCode };
}

/** Send a request and read its answer. */
export function askHttp2(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
): Promise<Http2Answer> {
  return readHttp2(request(session, headers));
}
