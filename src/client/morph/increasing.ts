/**
 * Find what can stay where it is: of numbers, a longest series that increases.
 *
 * @param pinned - The place of a number that has to be one of them.
 * @returns For each number whether it is one of them.
 */
export function increasing(numbers: readonly number[], pinned = -1): boolean[] {
  const fixed = numbers[pinned];
  // For each length the place of the least number that ends a series of that length.
  const ends: number[] = [];
  const before: number[] = [];
  numbers.forEach((number, place) => {
    const isAgainst = fixed !== undefined && place !== pinned && place < pinned !== number < fixed;
    if (isAgainst) return;
    const length = lengthBelow(number, ends, numbers);
    before[place] = ends[length - 1] ?? -1;
    ends[length] = place;
  });
  const stays = numbers.map(() => false);
  for (let place = ends[ends.length - 1] ?? -1; place >= 0; place = before[place] ?? -1) {
    stays[place] = true;
  }
  return stays;
}

/** The length of the longest series that ends below a number. */
function lengthBelow(number: number, ends: readonly number[], numbers: readonly number[]): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[ends[middle] ?? -1] ?? 0) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
