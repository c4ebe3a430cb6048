// How figures are taken and told, in every benchmark alike.

/** The value below which this share of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A claim of ours, and what was measured. */
export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  /** @default that the value is at most the limit */
  readonly isBelow?: boolean;
  /** @default 2 */
  readonly digits?: number;
  readonly unit?: string;
}

/** Print what was claimed, what was measured, and whether that is as claimed. */
export function printGoals(goals: readonly Goal[]): void {
  console.log('\ngoals');
  for (const { name, value, limit, isBelow = false, digits = 2, unit = '' } of goals) {
    const isReached = isBelow ? value < limit : value <= limit;
    const told = `${value.toFixed(digits)}${unit}`.padStart(12);
    const bound = `${isBelow ? '< ' : '<='} ${limit.toFixed(digits)}${unit}`;
    const verdict = isReached ? 'reached' : 'NOT REACHED';
    console.log(`  ${name.padEnd(64)}${told}  ${bound.padEnd(14)}${verdict}`);
  }
}

/** Print a table: names to the left, cells to the right. */
export function printTable(
  titles: readonly string[],
  rows: Iterable<readonly [name: string, cells: readonly string[]]>,
  widths: { readonly name: number; readonly cell: number },
): void {
  const line = (name: string, cells: readonly string[]) =>
    console.log(name.padEnd(widths.name) + cells.map((c) => c.padStart(widths.cell)).join(''));
  line('', titles);
  for (const [name, cells] of rows) line(name, cells);
}
