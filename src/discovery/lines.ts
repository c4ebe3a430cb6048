/** Longer lines are nobody's request. */
const MAX_LINE_BYTES = 64 * 1_024;
const NEW_LINE = 0x0a;

/**
 * The lines of a stream of bytes, without what ends them; of one that is too long `undefined`. Never
 * holds more than one line.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<string | undefined> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let isTooLong = false;
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEW_LINE, start);
      if (end === -1) break;
      const piece = chunk.subarray(start, end);
      start = end + 1;
      if (isTooLong || heldBytes + piece.length > MAX_LINE_BYTES) yield undefined;
      else yield lineOf(held.length === 0 ? piece : Buffer.concat([...held, piece]));
      held = [];
      heldBytes = 0;
      isTooLong = false;
    }
    const rest = chunk.subarray(start);
    heldBytes += rest.length;
    if (heldBytes > MAX_LINE_BYTES) {
      isTooLong = true;
      held = [];
    } else if (rest.length > 0 && !isTooLong) held.push(Buffer.from(rest));
  }
  if (isTooLong) yield undefined;
  else if (heldBytes > 0) yield lineOf(Buffer.concat(held));
}

function lineOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  return text.replace(/^\uFEFF/, '').replace(/\r$/, '');
}
