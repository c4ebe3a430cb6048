/*
 * Messages between the processes of one machine, over a stream socket: the length of all that
 * follows (4 bytes), the length of the head (4 bytes), the head as JSON, the body as it is.
 */

const LENGTH_BYTES = 4;
/** Larger than any state that a config allows in earnest; a peer that sends more is broken. */
export const MAX_MESSAGE_BYTES = 1_024 ** 3;

/** A message as it is written: the parts of its body are not copied. */
export function frame(head: object, body: readonly Uint8Array[] = []): Uint8Array[] {
  const text = JSON.stringify(head);
  const headBytes = Buffer.byteLength(text);
  const bodyBytes = body.reduce((sum, part) => sum + part.length, 0);
  const start = Buffer.allocUnsafe(2 * LENGTH_BYTES + headBytes);
  start.writeUInt32BE(LENGTH_BYTES + headBytes + bodyBytes, 0);
  start.writeUInt32BE(headBytes, LENGTH_BYTES);
  start.write(text, 2 * LENGTH_BYTES);
  return [start, ...body];
}

/** Finds the messages in what a socket receives. */
export class FrameReader {
  readonly #onMessage: (head: unknown, body: Buffer) => void;
  /** Longest message that is read. */
  maxBytes = MAX_MESSAGE_BYTES;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** So much has to be there before there is anything to do. */
  #wanted = LENGTH_BYTES;

  /** @param onMessage - Must not throw. The body is valid during the call only. */
  constructor(onMessage: (head: unknown, body: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  /** @throws when what was received is no message. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#wanted) return;
    let rest = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    for (;;) {
      const isWhole = rest.length >= LENGTH_BYTES;
      const length = isWhole ? rest.readUInt32BE(0) : 0;
      if (length > this.maxBytes || (isWhole && length < LENGTH_BYTES)) {
        throw new Error(`a message of ${length} bytes`);
      }
      this.#wanted = LENGTH_BYTES + length;
      if (!isWhole || rest.length < this.#wanted) break;
      this.#read(rest.subarray(LENGTH_BYTES, this.#wanted));
      rest = rest.subarray(this.#wanted);
    }
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#bytes = rest.length;
  }

  #read(message: Buffer): void {
    const headEnd = LENGTH_BYTES + message.readUInt32BE(0);
    if (headEnd > message.length) throw new Error('a head that is longer than its message');
    const head: unknown = JSON.parse(message.toString('utf8', LENGTH_BYTES, headEnd));
    this.#onMessage(head, message.subarray(headEnd));
  }
}
