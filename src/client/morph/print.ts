/*
 * Prints of contents: two polynomial hashes of 32 bits as one number of 53. Exact numbering would take
 * four times as long on a large table, and would remember all that ever was on the page.
 */

interface Named {
  readonly name: string;
  readonly value: string;
}

interface Printed {
  readonly print: number;
}

// Of each page its own, so that nobody can make two texts that look the same to it.
const SEED = Math.floor(Math.random() * 0x7fffffff);
const LOW_BITS = 0x200000;

let high = 0;
let low = 0;

/** The print of a part by what it is, and by the prints of its children. */
export function printOf(
  kind: string,
  text: string,
  attributes: readonly Named[],
  children: readonly Printed[],
): number {
  [high, low] = [SEED, children.length];
  mixText(kind);
  mixText(text);
  for (const { name, value } of attributes) {
    mixText(name);
    mixText(value);
  }
  for (const { print } of children) {
    mix((print / LOW_BITS) | 0);
    mix(print | 0);
  }
  return (high >>> 0) * LOW_BITS + (low >>> 11);
}

function mixText(text: string): void {
  for (let index = 0; index < text.length; index += 1) mix(text.charCodeAt(index));
  mix(-1);
}

function mix(number: number): void {
  // Small enough factors for the products to be exact.
  high = (high * 65_599 + number) | 0;
  low = (low * 1_000_003 + number) | 0;
}
