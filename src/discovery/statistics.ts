/** The middle one; `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** How far values lie from their median, in the middle (median absolute deviation). */
export function deviation(values: readonly number[]): number {
  const center = median(values);
  return median(values.map((value) => Math.abs(value - center)));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * What a share of so many tries is at least, at 95 % (Wilson's lower bound): three of three tell
 * less than thirty of thirty.
 */
export function wilsonLowerBound(hits: number, tries: number): number {
  if (tries === 0) return 0;
  const z = 1.96;
  const share = hits / tries;
  const spread = z * Math.sqrt((share * (1 - share)) / tries + (z * z) / (4 * tries * tries));
  return Math.max(0, (share + (z * z) / (2 * tries) - spread) / (1 + (z * z) / tries));
}
