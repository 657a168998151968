/**
 * Halves a range `rounds` times towards the number up to which `isBelow` holds; gives what is left
 * of the range, between a number for which it holds and one for which it does not, unless one end
 * was never left. Ends early where no more than `width` is left.
 */
export function bisect(
  [low, high]: readonly [low: number, high: number],
  isBelow: (x: number) => boolean,
  rounds: number,
  width = 0,
): readonly [low: number, high: number] {
  for (let round = 0; round < rounds && high - low > width; round++) {
    const middle = (low + high) / 2;
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return [low, high];
}
