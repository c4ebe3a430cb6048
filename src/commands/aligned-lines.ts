/** A part of a text: its lines may have names of their own. */
export interface Section {
  readonly title: string;
  readonly lines: readonly (string | readonly [name: string, text: string])[];
}

/** Sections with their titles in a column of their own; those without lines are left out. */
export function alignedLines(sections: readonly Section[]): string[] {
  const present = sections.filter(({ lines }) => lines.length > 0);
  const width = Math.max(...present.map(({ title }) => title.length)) + 2;
  return present.flatMap((section) => sectionLines(section, width));
}

function sectionLines({ title, lines }: Section, width: number): string[] {
  const names = lines.flatMap((line) => (typeof line === 'string' ? [] : [line[0].length]));
  const inner = Math.max(0, ...names) + 2;
  return lines.map((line, i) => {
    const text = typeof line === 'string' ? line : `${line[0].padEnd(inner)}${line[1]}`;
    return `${(i === 0 ? title : '').padEnd(width)}${text}`;
  });
}
