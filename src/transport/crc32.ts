/*
 * CRC-32 of a concatenation from the sums of its parts. A CRC is a remainder of polynomials over
 * GF(2): appending n bytes multiplies what was before by x^(8n), so the sum of each shared piece is
 * computed once, and every connection only multiplies (as zlib's crc32_combine does).
 *
 * Polynomials are bit-reflected as in gzip (RFC 1952 §8): the highest bit is x^0.
 */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;
const X = 0x40000000;

/** x^(2^k) for k = 0, 1, 2, … */
const SQUARES: readonly number[] = (() => {
  const squares = [X];
  for (let k = 1; k < 40; k++) {
    const root = squares[k - 1] as number;
    squares.push(multiply(root, root));
  }
  return squares;
})();

/** The factor that makes room for so many bytes: x^(8 · bytes). */
export function shiftOf(bytes: number): number {
  let shift = ONE;
  // From x^8, whose exponent is 2^3.
  for (let rest = bytes, k = 3; rest > 0; rest = Math.floor(rest / 2), k++) {
    if (rest % 2 === 1) shift = multiply(SQUARES[k] as number, shift);
  }
  return shift;
}

/** The CRC of two texts behind each other. @param shift - `shiftOf` the second one's length. */
export function combine(first: number, second: number, shift: number): number {
  return (multiply(shift, first) ^ second) >>> 0;
}

/** The product of two polynomials, modulo the one of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let left = a;
  let right = b;
  while (left !== 0) {
    if (left & ONE) product ^= right;
    left = (left << 1) >>> 0;
    right = right & 1 ? (right >>> 1) ^ POLYNOMIAL : right >>> 1;
  }
  return product >>> 0;
}
