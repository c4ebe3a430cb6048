/** An event as a client was told it. */
export interface Told {
  readonly url?: string;
  readonly id?: string;
  readonly event: string;
  /** Parsed where it is JSON, else a text; base64 where `encoding` says so. */
  readonly data: unknown;
  readonly contentType?: string;
  readonly encoding?: 'base64';
  /** The same, byte for byte as far as the transport gives bytes. */
  readonly body: Buffer;
}

/** Anything that a client hears. */
export type Heard =
  | { readonly kind: 'event'; readonly told: Told }
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'retry'; readonly retryMs: number }
  | { readonly kind: 'refusal'; readonly code: string; readonly url: string | undefined };

/** Takes what is heard. */
export type Hear = (heard: Heard) => void;

/** How a client of an envelope reads its text. */
export function heardIn(text: string): Heard {
  const envelope = JSON.parse(text) as Omit<Told, 'body'>;
  const { event, data, url } = envelope;
  if (event === 'retry') return { kind: 'retry', ...(data as { retryMs: number }) };
  if (event === 'error') return { kind: 'refusal', ...(data as { code: string }), url };
  return { kind: 'event', told: { ...envelope, body: bodyOf(envelope, text) } };
}

/** What is heard in `{"events":[…]}`, the body of a long poll. */
export function heardInBatch(text: string): Heard[] {
  const batch = JSON.parse(text) as { events?: unknown[]; error?: { code: string } };
  if (batch.error) return [{ kind: 'refusal', url: undefined, ...batch.error }];
  const { events = [] } = batch;
  if (events.length === 0) return [{ kind: 'heartbeat' }];
  // Of a single one the text is at hand as the proxy wrote it.
  if (events.length === 1) return [heardIn(text.slice('{"events":['.length, -']}'.length))];
  return events.map((event) => heardIn(JSON.stringify(event)));
}

/** An event whose data are the body itself. */
export function bareTold(event: string, body: Buffer, id?: string): Told {
  const text = body.toString('utf8');
  return { event, body, data: parsed(text), ...(id === undefined ? {} : { id }) };
}

/** The value of a JSON text, or the text. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function bodyOf({ data, contentType, encoding }: Omit<Told, 'body'>, text: string): Buffer {
  if (typeof data === 'string' && encoding === 'base64') return Buffer.from(data, 'base64');
  if (typeof data === 'string' && contentType !== undefined) return Buffer.from(data);
  const start = '"data":';
  return Buffer.from(text.slice(text.indexOf(start) + start.length, -1));
}
