import type { Transform } from 'node:stream';
import type { RawHeaders } from '../shared/raw-headers.ts';

/** An answer's head, as far as its headers may have to change. */
export interface RewritableHead {
  readonly method: string;
  readonly status: number;
  readonly headers: RawHeaders;
  /** The upstream has said that the body is a stream, by a header that is not passed on. */
  readonly isStream?: boolean;
}

/** What becomes of an answer's head and body. */
export interface Rewritten {
  readonly headers: string[];
  /** What the body has to go through, in order; empty when it stays as it is. */
  readonly body: readonly Transform[];
}

/**
 * What is changed in one exchange between a client and an upstream that does not know its public
 * name. Made for each exchange; both methods are pure but for what the request tells the answer.
 */
export interface Rewriting {
  /** The headers as they leave toward the upstream, from those of the client. */
  request(headers: RawHeaders): string[];
  /** The answer as it leaves toward the client. */
  response(head: RewritableHead): Rewritten;
}

/** Map the values of a flat list of headers; `undefined` drops the header. */
export function mapHeaders(
  headers: RawHeaders,
  map: (name: string, value: string) => string | undefined,
): string[] {
  const mapped: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const field = headers[i] as string;
    const value = map(field.toLowerCase(), headers[i + 1] as string);
    if (value !== undefined) mapped.push(field, value);
  }
  return mapped;
}

/** Two rewritings as one: the second is nearer to the client. */
export function inSequence(first: Rewriting, second: Rewriting): Rewriting {
  return {
    request: (headers) => first.request(second.request(headers)),
    response(head) {
      const inner = first.response(head);
      const outer = second.response({ ...head, headers: inner.headers });
      return { headers: outer.headers, body: [...inner.body, ...outer.body] };
    },
  };
}
