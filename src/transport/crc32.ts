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

/** Multiplies by one factor: what each half of a byte adds to the product, the highest one first. */
export type Shift = Uint32Array;

/** Makes room for so many bytes: multiplies by x^(8 · bytes). */
export function shiftOf(bytes: number): Shift {
  let factor = ONE;
  // From x^8, whose exponent is 2^3.
  for (let rest = bytes, k = 3; rest > 0; rest = Math.floor(rest / 2), k++) {
    if (rest % 2 === 1) factor = multiply(SQUARES[k] as number, factor);
  }
  return tableOf(factor);
}

/** The CRC of two texts behind each other. @param shift - `shiftOf` the second one's length. */
export function combine(first: number, second: number, shift: Shift): number {
  let sum = second;
  // Once for each connection at each event: eight look-ups, where bit by bit it would be 32 turns.
  for (let at = 0, left = 28; left >= 0; at += 16, left -= 4) {
    sum ^= shift[at + ((first >>> left) & 0xf)] as number;
  }
  return sum >>> 0;
}

function tableOf(factor: number): Shift {
  const table = new Uint32Array(8 * 16);
  let power = factor;
  for (let at = 0; at < table.length; at += 16) {
    for (let bit = 8; bit > 0; bit >>= 1) {
      table[at + bit] = power;
      power = power & 1 ? (power >>> 1) ^ POLYNOMIAL : power >>> 1;
    }
    for (let value = 1; value < 16; value++) {
      const rest = value & (value - 1);
      table[at + value] = (table[at + rest] as number) ^ (table[at + value - rest] as number);
    }
  }
  return table;
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
