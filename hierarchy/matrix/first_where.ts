/**
 * The first number from 0 on for which `holds` is true, which it then is for all larger ones, too;
 * `end` if there is none below it.
 */
export function firstWhere(end: number, holds: (index: number) => boolean): number {
  let low = 0, high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
