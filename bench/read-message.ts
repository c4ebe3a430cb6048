/** A message of HTTP/1.1. */
export interface Message {
  readonly start: string;
  readonly body: string;
}

/** Puts messages together from pieces, and looks into a long one only when it is whole. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Before so many are there it is not whole. */
  #leastBytes = 0;

  /** The message that ends with this piece; never one of several. */
  add(piece: Buffer): Message | undefined {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#leastBytes) return undefined;
    const text = Buffer.concat(this.#pieces).toString('latin1');
    const message = readMessage(text);
    this.#leastBytes = message ? 0 : leastBytes(text);
    if (!message) return undefined;
    this.#pieces = [];
    this.#bytes = 0;
    return message;
  }
}

function leastBytes(text: string): number {
  const headEnd = text.indexOf('\r\n\r\n');
  return headEnd === -1 ? 0 : headEnd + 4 + lengthOf(text.slice(0, headEnd + 2));
}

function lengthOf(head: string): number {
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
}

/** The start line and the body of a message, once all of it is there; never one of several. */
export function readMessage(text: string): Message | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd + 2);
  const start = head.slice(0, head.indexOf('\r\n'));
  const body = text.slice(headEnd + 4);
  if (/\r\ntransfer-encoding: *chunked\r/i.test(head)) {
    return body.endsWith('0\r\n\r\n') ? { start, body: withoutChunks(body) } : undefined;
  }
  return body.length < lengthOf(head) ? undefined : { start, body };
}

function withoutChunks(text: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
