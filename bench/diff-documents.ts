/*
 * What changes: rows of a status page, as a list and by name, and one of them or half of them anew.
 * A merge patch says a list only as a whole.
 */

/** Two states of one document. */
export interface Change {
  readonly name: string;
  readonly before: Buffer;
  readonly after: Buffer;
}

const ROW_BYTES = 100;
const SIZES = [
  { name: '10 KB', bytes: 10 * 1_000 },
  { name: '100 KB', bytes: 100 * 1_000 },
  { name: '1 MB', bytes: 1_000 * 1_000 },
];
/** Of how many rows is one another. */
const CHANGES = [
  { name: 'one row', isChanged: (index: number, rows: number) => index === rows >> 1 },
  { name: 'half of the rows', isChanged: (index: number) => index % 2 === 0 },
];
const SHAPES = [
  { name: 'by name', documentOf: (rows: readonly Row[]) => ({ jobs: byName(rows) }) },
  { name: 'list', documentOf: (rows: readonly Row[]) => ({ jobs: rows }) },
];

interface Row {
  readonly name: string;
  readonly state: string;
  readonly progress: number;
  readonly note: string;
}

/** Each size, shape and change. */
export const DOCUMENTS: readonly Change[] = SIZES.flatMap((size) =>
  SHAPES.flatMap((shape) =>
    CHANGES.map((change) => {
      const count = Math.round(size.bytes / ROW_BYTES);
      const indexes = Array.from({ length: count }, (_, index) => index);
      const document = (isAfter: boolean) =>
        Buffer.from(
          JSON.stringify(
            shape.documentOf(
              indexes.map((index) => rowOf(index, isAfter && change.isChanged(index, count))),
            ),
          ),
        );
      return {
        name: `${size.name} ${shape.name}, ${change.name}`,
        before: document(false),
        after: document(true),
      };
    }),
  ),
);

function rowOf(index: number, isChanged: boolean): Row {
  return {
    name: `job-${index}`,
    state: 'running',
    progress: (index * 7_919 + (isChanged ? 1 : 0)) % 1_000,
    note: `on worker ${(index * 104_729) % 997}, since ${(index * 15_485_863) % 86_400} s`,
  };
}

function byName(rows: readonly Row[]): Record<string, Row> {
  return Object.fromEntries(rows.map((row) => [row.name, row]));
}
