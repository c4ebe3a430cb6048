/** A text with its length in front: so none can pretend to be what is written around it. */
export function quoted(text: string): string {
  return `${text.length}:${text}`;
}
