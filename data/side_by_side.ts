/** Number of runs that {@linkcode writeSideBySide} takes: a cache has room for a line of each. */
export const RUNS = 8;

/**
 * Writes eight runs of `values` side by side: value i of run k, which starts at `starts[k]`, to
 * `target[at + stride * i + k]`. Where a row-major matrix is to be filled column by column, this is
 * several times as fast as one column after another: it uses half of every cache line that it touches.
 */
export function writeSideBySide(
  values: Float32Array,
  starts: Int32Array,
  count: number,
  target: Float32Array,
  at: number,
  stride: number,
): void {
  const a = starts[0]!, b = starts[1]!, c = starts[2]!, d = starts[3]!;
  const e = starts[4]!, f = starts[5]!, g = starts[6]!, h = starts[7]!;
  for (let i = 0; i < count; i++, at += stride) {
    target[at] = values[a + i]!;
    target[at + 1] = values[b + i]!;
    target[at + 2] = values[c + i]!;
    target[at + 3] = values[d + i]!;
    target[at + 4] = values[e + i]!;
    target[at + 5] = values[f + i]!;
    target[at + 6] = values[g + i]!;
    target[at + 7] = values[h + i]!;
  }
}
