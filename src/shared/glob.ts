/**
 * Does the whole text match a pattern in which `*` is any run of characters, also none, and `?` is
 * one character? Everything else is literal; there is no escape.
 *
 * SECURITY: no regular expression is made of the pattern. The time is at most the product of both
 * lengths, whatever they hold: only the last `*` is ever tried again.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let afterStar = -1;
  let resume = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      p += 1;
      afterStar = p;
      resume = t;
    } else if (wanted === '?') {
      p += 1;
      t = next(text, t);
    } else if (wanted !== undefined && wanted === text[t]) {
      p += 1;
      t += 1;
    } else if (afterStar !== -1) {
      // The last star takes one character more.
      resume = next(text, resume);
      p = afterStar;
      t = resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}

/** True when a text means more than itself as a pattern. */
export function isGlob(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

/** Where the next character begins: beyond the basic plane one takes two units. */
function next(text: string, at: number): number {
  return at + ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
}
