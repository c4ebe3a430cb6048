// What is pushed in the benchmarks: documents that say when they were made.

/** A document of so many bytes, made now; clients look for `@<nanoseconds>@`. */
export function makeState(bytes: number): { at: bigint; text: string } {
  const at = process.hrtime.bigint();
  const start = `{"at":"@${at}@","text":"`;
  return { at, text: `${start}${textOf(bytes - start.length - 2)}"}` };
}

/** The moment that a document, or what is left of it in a patch, says. */
export function momentIn(text: string): bigint | undefined {
  const digits = /@(\d+)@/.exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/** Words that are as alike as those of a status page. */
function textOf(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += `worker-${i} idle ${(i * 7919) % 1_000} ms; `;
  return text.slice(0, length);
}
