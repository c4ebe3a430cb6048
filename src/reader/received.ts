/** An event as a client of any transport sees it: the envelope of docs/protocol.md, parsed. */
export interface Received {
  readonly url?: string;
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
  readonly contentType?: string;
  readonly encoding?: 'base64';
}

/** What arrives on a stream. */
export type Item =
  | { readonly kind: 'event'; readonly event: Received }
  /** How long to wait before reconnecting. */
  | { readonly kind: 'retry'; readonly retryMs: number }
  /** A word for people, such as why the stream will end now. */
  | { readonly kind: 'note'; readonly text: string };

/** The other side does not give the events, and says why. */
export class RefusedError extends Error {
  /** The HTTP status, or the one that was told in its place. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.status = status;
  }
}

/**
 * An item out of the text of an envelope, or of what looks like one.
 *
 * @throws {SyntaxError} when it is not JSON.
 * @throws {RefusedError} when it tells a refusal.
 */
export function itemOf(text: string): Item {
  return itemIn(JSON.parse(text) as Received);
}

/** The same out of what was parsed already. @throws {RefusedError} when it tells a refusal. */
export function itemIn(envelope: Received): Item {
  if (envelope.event === 'retry') {
    return { kind: 'retry', retryMs: (envelope.data as { retryMs: number }).retryMs };
  }
  if (envelope.event === 'error') throw refusal(envelope.data);
  return { kind: 'event', event: envelope };
}

/** The refusal that `{"code","status","message"}` tells. */
export function refusal(data: unknown): RefusedError {
  const { code, status, message } = data as { code: string; status: number; message: string };
  return new RefusedError(status, `${code}: ${message}`);
}
