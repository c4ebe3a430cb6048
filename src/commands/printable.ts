/** One line. SECURITY: what somebody else has put into a text does not steer the terminal. */
export function printable(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
