import { type ErrorMetric, OUTPUT_ALIGNMENT } from "../matrix/error_metric.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { packedIndex } from "../metric/packed_upper.ts";

/**
 * Rows and columns of the tiles that errors are passed on between by large matrix products; blocks of
 * columns are whole tiles.
 */
export const TILE = OUTPUT_ALIGNMENT;
/** Rows and columns of the parts of tiles that errors are passed on between by small ones. */
export const SUBTILE = 8;

/**
 * A matrix while it is quantized with error feedback, in one block of memory. All numbers are places
 * in it. Rows and columns are filled up with zeros to whole tiles.
 *
 * With E the errors, H = U Uᵀ and G = V Vᵀ (see {@linkcode ErrorMetric}), the loss is half of
 * |Uᵀ E V|². Its term of row i and column j is (U_ii V_jj)² times the square of
 *
 *     E_ij + Σ_{k<i} A_ki E_kj + Σ_{l<j} Q_il B_lj,    Q_il = E_il + Σ_{k<i} A_ki E_kl,
 *
 * with A_ki = U_ki / U_ii and B_lj = V_lj / V_jj: what is to be quantized at i, j is the value and
 * both sums. Where V is diagonal this is GPTQ (arXiv 2210.17323), equal to LDLQ of QuIP (arXiv
 * 2307.13304); with V the rounding is that of YAQA (arXiv 2505.22988).
 */
export interface FeedbackState {
  /** The memory. */
  readonly memory: Float32Array;
  /** Rows in memory. */
  readonly height: number;
  /** Columns in memory. */
  readonly width: number;
  /**
   * Values and the first sum so far of what is not quantized yet, errors E of what is. Its lines are
   * columns, see {@linkcode valuePlace}.
   */
  readonly above: number;
  /** A, `height * height`; see {@linkcode factorPlace}. */
  readonly rowFactors: number;
  /** What the values of an anti-diagonal are to be quantized at, and then what they became. */
  readonly targets: number;
  /** Values before anything was added to them: see {@linkcode originalPlace}. */
  readonly originals: number;
  /** Feedback between columns, where there is any. */
  readonly left?: {
    /** The second sum so far of what is not quantized yet, Q of what is. Its lines are rows. */
    readonly sums: number;
    /** By column: where B of its block is, as A is. These tables are in memory too. */
    readonly factors: Int32Array;
    /** By column: the first column of its block; blocks are whole tiles. */
    readonly starts: Int32Array;
    /** By column: the column after its block. */
    readonly ends: Int32Array;
  };
}

/**
 * Where the value at a position of a line is, from the place of the first line on; lines are `length`
 * positions long. Subtiles follow each other along their lines and have the lines' parts one after
 * another, so that what an anti-diagonal passes through is in few cache lines, whatever the length.
 */
export function valuePlace(length: number, line: number, position: number): number {
  const inBand = line % SUBTILE, inSubtile = position % SUBTILE;
  return (line - inBand) * length + (position - inSubtile + inBand) * SUBTILE + inSubtile;
}

/**
 * Where the original of row i and column j is while its subtile is quantized: there are two subtiles,
 * row-major, for each eight rows, those of even and of odd anti-diagonals of subtiles.
 */
export function originalPlace(originals: number, i: number, j: number): number {
  const row = i % SUBTILE, column = j % SUBTILE;
  const odd = (i - row + j - column) / SUBTILE & 1;
  return originals + (2 * (i - row) + odd * SUBTILE + row) * SUBTILE + column;
}

/**
 * Where the factor of row k and column i of a square of `size` is, from the square's place on: strips
 * of {@linkcode SUBTILE} columns follow each other, row-major, so that products read them in order.
 */
export function factorPlace(size: number, k: number, i: number): number {
  const column = i % SUBTILE;
  return (i - column) * size + k * SUBTILE + column;
}

/** The state before anything is quantized; `allocate` gives memory for this many float32, all zero. */
export function createFeedbackState(
  { rows, columns, data }: Matrix,
  metric: ErrorMetric,
  allocate: (length: number) => Float32Array,
): FeedbackState {
  const height = wholeTiles(rows), width = wholeTiles(columns);
  const blocks = metric.columnBlocks ?? [];
  let length = 0;
  const place = (size: number) => (length += size) - size;
  const above = place(height * width);
  const rowFactors = place(height * height);
  const sums = blocks.length > 0 ? place(height * width) : 0;
  const blockPlaces = blocks.map(({ size }) => place(wholeTiles(size) ** 2));
  const tables = blocks.length > 0 ? place(3 * width) : 0;
  const longest = Math.min(height, width);
  const targets = place(longest), originals = place(2 * SUBTILE * height);
  const memory = allocate(length);
  // A band of eight rows at a time, so that the cache holds the subtiles that are filled.
  for (let band = 0; band < rows; band += SUBTILE) {
    const end = Math.min(rows, band + SUBTILE);
    for (let j = 0; j < columns; j++) {
      const to = above + valuePlace(height, j, band) - band;
      for (let i = band, from = band * columns + j; i < end; i++, from += columns) {
        memory[to + i] = data[from]!;
      }
    }
  }
  const { rowSteps, columnSteps } = metric;
  unpack(memory, rowFactors, { size: rows, feedback: metric.feedback }, rowSteps);
  const base = { memory, height, width, above, rowFactors, targets, originals };
  if (blocks.length === 0) return base;
  const [factors, starts, ends] = [0, 1, 2].map((table) =>
    new Int32Array(memory.buffer, memory.byteOffset + 4 * (tables + table * width), width)
  ) as [Int32Array, Int32Array, Int32Array];
  blocks.forEach((block, b) => {
    const { start, size } = block, end = start + wholeTiles(size);
    unpack(memory, blockPlaces[b]!, block, columnSteps?.subarray(start, start + size));
    factors.fill(blockPlaces[b]!, start, end);
    starts.fill(start, start, end);
    ends.fill(end, start, end);
  });
  return { ...base, left: { sums, factors, starts, ends } };
}

function wholeTiles(size: number): number {
  return Math.ceil(size / TILE) * TILE;
}

/** Writes a packed triangle as a square, for values that are divided by `steps`. */
function unpack(
  memory: Float32Array,
  place: number,
  { size, feedback }: { readonly size: number; readonly feedback: Float32Array },
  steps: Float64Array | undefined,
): void {
  const stride = wholeTiles(size);
  for (let k = 0; k < size; k++) {
    const from = packedIndex(size, k, 0);
    const step = steps?.[k] ?? 1;
    for (let i = k + 1; i < size;) {
      const to = place + factorPlace(stride, k, i) - i;
      const end = Math.min(size, (i | SUBTILE - 1) + 1);
      if (steps === undefined) { for (; i < end; i++) memory[to + i] = feedback[from + i]!; }
      else for (; i < end; i++) memory[to + i] = feedback[from + i]! * step / steps[i]!;
    }
  }
}
