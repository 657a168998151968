import { templateOf } from "../format/name_template.ts";
import { columnRange, isCheaplyCut } from "../matrix/column_range.ts";
import type { Matrices, MatrixShape } from "../matrix/matrix.ts";

/** Columns of the parts that long matrices are cut into. */
const PART_COLUMNS = 1024;
/** Matrices of fewer parts stay whole. */
const FEWEST_PARTS = 8;
/** Models of fewer values are drafted whole. */
export const FEWEST_SAMPLED = 1 << 22;
/** Of so many parts of a kind, one is drafted. */
const STRIDE = 6;
/** Parts of a kind that are drafted at least, where there are as many. */
const FEWEST_OF_KIND = 4;

/** Columns of a matrix, from `start` to before `end`: most often all of them. */
export interface DraftPart extends Pick<MatrixShape, "name" | "rows" | "columns"> {
  /** Number of the matrix. */
  readonly matrix: number;
  /** The first column. */
  readonly start: number;
}

/** All matrices, the long ones cut into parts where errors are not passed on between columns. */
export function draftParts(matrices: Matrices): DraftPart[] {
  return matrices.flatMap((whole, matrix) => {
    const { name, rows, columns } = whole;
    const isCut = columns >= FEWEST_PARTS * PART_COLUMNS && isCheaplyCut(whole);
    const width = isCut ? PART_COLUMNS : columns;
    return Array.from({ length: Math.ceil(columns / width) }, (_, i) => {
      const start = i * width;
      return { name, rows, columns: Math.min(width, columns - start), matrix, start };
    });
  });
}

/** The part's own matrix. */
export function matrixOfPart(matrices: Matrices, { matrix, start, columns }: DraftPart) {
  const whole = matrices[matrix]!;
  return columns === whole.columns ? whole : columnRange(whole, start, start + columns);
}

/**
 * Numbers of the parts whose sizes tell those of all: of each kind, which is a name but for the
 * layer's number and a shape, some that are spread evenly; all of fewer values than `fewest`.
 */
export function draftSample(
  parts: readonly DraftPart[],
  fewest: number = FEWEST_SAMPLED,
): number[] {
  const values = parts.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  if (values < fewest) return [...parts.keys()];
  return kindsOf(parts).flatMap((kind) => {
    const count = Math.min(kind.length, Math.max(FEWEST_OF_KIND, Math.ceil(kind.length / STRIDE)));
    const middle = (i: number) => kind[Math.floor((i + 0.5) * kind.length / count)]!;
    return Array.from({ length: count }, (_, i) => middle(i));
  }).sort((a, b) => a - b);
}

/** Numbers of the parts of each kind, in order. */
function kindsOf(shapes: readonly DraftPart[]): number[][] {
  const kinds = new Map<string, number[]>();
  shapes.forEach(({ name, rows, columns }, i) => {
    const key = `${templateOf(name) ?? name} ${rows} ${columns}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, [i]);
    else kind.push(i);
  });
  return [...kinds.values()];
}

/**
 * The bits of all parts, given those of the sampled ones by their numbers and an estimate of each. What
 * an estimate misses grows or falls slowly with the bits that it says a value has: it is taken from a
 * line through the sampled parts of the kind.
 */
export function extrapolateBits(
  shapes: readonly DraftPart[],
  estimated: readonly number[],
  sampled: ReadonlyMap<number, number>,
): number {
  let bits = 0;
  for (const kind of kindsOf(shapes)) {
    const values = shapes[kind[0]!]!.rows * shapes[kind[0]!]!.columns;
    const known = kind.filter((i) => sampled.has(i));
    const missed = lineThrough(
      known.map((i) => estimated[i]! / values),
      known.map((i) => (sampled.get(i)! - estimated[i]!) / values),
    );
    for (const i of kind) {
      const estimate = estimated[i]!;
      bits += sampled.get(i) ?? Math.max(0, estimate + values * missed(estimate / values));
    }
  }
  return bits;
}

/**
 * The bytes of all matrices' scales, given those of the sampled parts: of each kind in proportion to
 * rows and columns.
 */
export function extrapolateFields(
  matrices: readonly MatrixShape[],
  parts: readonly DraftPart[],
  sampled: ReadonlyMap<number, number>,
): number {
  let bytes = 0;
  const lengths = (shapes: readonly DraftPart[]) =>
    shapes.reduce((sum, { rows, columns }) => sum + rows + columns, 0);
  for (const kind of kindsOf(parts)) {
    const known = kind.filter((i) => sampled.has(i));
    const rate = known.reduce((sum, i) => sum + sampled.get(i)!, 0) /
      lengths(known.map((i) => parts[i]!));
    for (const i of kind) {
      // Rows of a matrix in parts have their scale once.
      const { matrix, rows, columns } = parts[i]!;
      bytes += rate * (columns + rows * columns / matrices[matrix]!.columns);
    }
  }
  return bytes;
}

/** The line of least squares, level where points lie too near each other to tell, or are few. */
function lineThrough(x: readonly number[], y: readonly number[]): (at: number) => number {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const middle = mean(x), height = mean(y);
  const spread = x.reduce((sum, at) => sum + (at - middle) ** 2, 0);
  const slope = x.length < FEWEST_OF_KIND || spread === 0
    ? 0
    : x.reduce((sum, at, i) => sum + (at - middle) * (y[i]! - height), 0) / spread;
  return (at) => height + slope * (at - middle);
}
