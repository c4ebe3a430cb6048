import type { TestContext } from 'node:test';

/** What a command prints from now on, line by line. */
export function recordPrinted(t: TestContext): { readonly out: string[]; readonly err: string[] } {
  const lines = { out: [] as string[], err: [] as string[] };
  const into = (list: string[]) => (text: string) => void list.push(...text.split('\n'));
  t.mock.method(console, 'log', into(lines.out));
  t.mock.method(console, 'error', into(lines.err));
  return lines;
}
