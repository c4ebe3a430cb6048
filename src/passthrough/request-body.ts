import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { http2StreamOf } from '../shared/truncate.ts';

/** Longest time for which what nobody wants any more is read, so that the answer arrives. */
const LINGER_MS = 30_000;

/** The body of a request, for whichever upstream takes it. */
export interface RequestBody {
  /** Nothing of it is there yet: the head is to go ahead, so that it can be answered alone. */
  readonly isLate: boolean;
  /**
   * The bytes: at once where all of them have come with the head. Else they are read when they are
   * asked for and not before, so that they can be sent to another upstream if the first is not
   * reached; and a client that waits for `100 Continue` gets it then.
   *
   * Reading throws `REQUEST_TIMEOUT` when the client is silent for too long. How long an upstream
   * takes to accept a chunk does not count.
   */
  content(): Buffer | AsyncIterable<Buffer>;
}

/** How bodies are read. */
export interface RequestBodyOptions {
  readonly clock: Clock;
  /** Longest silence of the client. */
  readonly timeoutMs: number;
}

/** Look at the body of a request; resolves when it has begun, or will not in a moment. */
export async function openBody(
  req: IncomingMessage,
  res: ServerResponse,
  options: RequestBodyOptions,
): Promise<RequestBody> {
  const hasBegun = await bodyBegins(req, options.clock);
  const whole = hasBegun ? wholeBody(req) : undefined;
  return {
    isLate: !hasBegun,
    content: () => whole ?? read(req, res, options),
  };
}

/** A body of declared length that is here. Another one goes on as it comes, in chunks. */
function wholeBody(req: IncomingMessage): Buffer | undefined {
  const length = headerValue(req.rawHeaders, 'content-length');
  if (length === undefined || req.readableLength !== Number(length)) return undefined;
  const body = req.read() as Buffer | null;
  // Node's parser tells of the end after the last byte, with a turn in between.
  req.resume();
  return body ?? undefined;
}

async function* read(
  req: IncomingMessage,
  res: ServerResponse,
  { clock, timeoutMs }: RequestBodyOptions,
): AsyncGenerator<Buffer> {
  // SECURITY: nothing may stand behind an answer that came in the meantime.
  if (expectsContinue(req) && !res.headersSent) res.writeContinue();
  try {
    while (!req.readableEnded) {
      const chunk = req.read() as Buffer | null;
      if (chunk) yield chunk;
      else await readable(req, clock, timeoutMs);
    }
  } finally {
    discardRest(req, res, clock);
  }
}

/** Does the client wait with the body until it is told to go on? */
export function expectsContinue(req: IncomingMessage): boolean {
  return headerValue(req.rawHeaders, 'expect') !== undefined && req.httpVersion !== '1.0';
}

/** So long a body is waited for before its head goes alone. */
const HEAD_ALONE_MS = 200;

/** Is there something of the body, at once or in a moment? */
async function bodyBegins(req: IncomingMessage, clock: Clock): Promise<boolean> {
  if (expectsContinue(req)) return false;
  // What has come in one piece with the head is read when this turn is over.
  await undefined;
  if (req.readableLength > 0 || req.complete) return true;
  return readable(req, clock, HEAD_ALONE_MS).then(
    () => true,
    () => false,
  );
}

/** Wait for something to read, or for the end. */
function readable(req: IncomingMessage, clock: Clock, timeoutMs: number): Promise<void> {
  const connection = connectionOf(req);
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      timer.cancel();
      req.off('readable', onReadable).off('end', onReadable).off('close', onClose);
      connection.off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onReadable = () => settle();
    const onClose = () => {
      // What has arrived as a whole can be read, whoever has left.
      if (req.complete && !req.destroyed) return;
      settle(new ProxyError('UPSTREAM_RESET', 'the client left'));
    };
    const timer = clock.after(timeoutMs, () => settle(new ProxyError('REQUEST_TIMEOUT')));
    req.on('readable', onReadable).on('end', onReadable).on('close', onClose);
    // Node forgets a request whose answer is over: it does not tell it that the client has left.
    connection.on('close', onClose);
    if (req.destroyed || connection.destroyed) onClose();
  });
}

/**
 * Read and drop what is left of a request body: a connection that is closed with something unread
 * resets, and the client might never see its answer.
 */
export function discardRest(req: IncomingMessage, res: ServerResponse, clock: Clock): void {
  const connection = connectionOf(req);
  if (req.readableEnded || req.destroyed || connection.destroyed) return;
  req.resume();
  const timer = clock.after(LINGER_MS, () => {
    if (res.writableEnded) connection.destroy();
  });
  const settle = () => {
    timer.cancel();
    connection.off('close', settle);
  };
  req.once('end', settle);
  connection.once('close', settle); // as above
}

/** What a request comes on: Node's `socket` of HTTP/2 listens at one thing and forgets at another. */
function connectionOf(req: IncomingMessage): Duplex {
  return http2StreamOf(req) ?? req.socket;
}
