/**
 * A text that is kept for long, as one of its own.
 *
 * SECURITY: what is cut out of a longer text keeps all of that in memory with it: of a path the query,
 * of the name of a cookie its value.
 */
export function detach(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
