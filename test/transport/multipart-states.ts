import fc from 'fast-check';

/** Types as sites give them, and as they should not. */
export const types = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('image/png', 'image/jpeg', 'text/html; charset=utf-8') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

/**
 * Bodies with all that could be taken for the end of a part.
 *
 * @param wholeWeight - How often the boundary itself stands in them; 0 is never.
 */
export function bodies(boundary: string, wholeWeight: number) {
  const piece = fc.oneof(
    { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)) },
    {
      weight: 4,
      arbitrary: fc
        .constantFrom('\r\n', '\r', '\n', '--', '\r\n--', `\r\n--${boundary.slice(0, -1)}`)
        .map((text) => Buffer.from(text)),
    },
    {
      weight: wholeWeight,
      arbitrary: fc
        .constantFrom(`--${boundary}`, `\r\n--${boundary}\r\n`, `\r\n--${boundary}--\r\n`)
        .map((text) => Buffer.from(text)),
    },
  );
  return fc.array(piece, { maxLength: 6 }).map((pieces) => Buffer.concat(pieces));
}
