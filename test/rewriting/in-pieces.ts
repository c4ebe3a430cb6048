/** Something that changes a text which comes in pieces. */
export interface TextStep {
  write(piece: string): string;
  end(): string;
}

/** What comes out when a text is cut at these places. */
export function inPieces(step: TextStep, text: string, cuts: readonly number[]): string {
  let output = '';
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    output += step.write(text.slice(from, cut));
    from = Math.max(from, cut);
  }
  return output + step.write(text.slice(from)) + step.end();
}

/** What comes out when a text is given character by character. */
export function byCharacter(step: TextStep, text: string): string {
  return inPieces(
    step,
    text,
    [...text].map((_, index) => index),
  );
}
