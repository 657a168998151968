import { type ErrorMetric, OUTPUT_ALIGNMENT } from "../matrix/error_metric.ts";
import { isHeld, type SentMatrix } from "../matrix/held_matrix.ts";
import { matrixBlocks } from "../matrix/matrix_blocks.ts";
import { packedIndex } from "../metric/packed_upper.ts";
import { type Diagonal, diagonalOf } from "../scan/diagonals.ts";
import { AHEAD, diagonalReader, MatrixWindow } from "./matrix_window.ts";

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
   * columns, see {@linkcode valuePlace}. Where not all columns are in memory it is the place where
   * column 0 would be, and moves on.
   */
  above: number;
  /** Brings the columns into memory that the anti-diagonals of a tile reach; absent where all are. */
  readonly reach?: (number: number) => void;
  /** Brings the originals of an anti-diagonal into memory; goes over them in order. */
  readonly readOriginals: (diagonal: Diagonal) => void;
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
  matrix: SentMatrix,
  metric: ErrorMetric,
  allocate: (length: number) => Float32Array,
): FeedbackState {
  const { rows, columns } = matrix;
  const height = wholeTiles(rows), width = wholeTiles(columns);
  const blocks = metric.columnBlocks ?? [];
  let length = 0;
  const place = (size: number) => (length += size) - size;
  // Between columns that do not depend on each other, only those in reach are needed.
  const window = isHeld(matrix) && columns > rows && blocks.length === 0
    ? new MatrixWindow(matrix)
    : undefined;
  const held = window === undefined ? width : Math.min(width, 2 * height + MORE_COLUMNS);
  const above = place(height * held);
  const rowFactors = place(height * height);
  const sums = blocks.length > 0 ? place(height * width) : 0;
  const blockPlaces = blocks.map(({ size }) => place(wholeTiles(size) ** 2));
  const tables = blocks.length > 0 ? place(3 * width) : 0;
  const longest = Math.min(height, width);
  const targets = place(longest), originals = place(2 * SUBTILE * height);
  const memory = allocate(length);
  if (window === undefined) fill(memory, above, height, matrix);
  const { rowSteps, columnSteps } = metric;
  unpack(memory, rowFactors, { size: rows, feedback: metric.feedback }, rowSteps);
  const places = { memory, height, width, above, rowFactors, targets, originals };
  if (window !== undefined) return movingState(places, held, columns, window);
  const base = { ...places, readOriginals: originalsReader(places, matrix) };
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

/** Columns that are in memory beside those in reach, so that they are moved seldom. */
const MORE_COLUMNS = 8 * TILE;

/** Writes all values to memory. */
function fill(memory: Float32Array, above: number, height: number, matrix: SentMatrix): void {
  for (const { row, column, rows, columns, data } of matrixBlocks(matrix)) {
    // A band of eight rows at a time, so that the cache holds the subtiles that are filled.
    for (let top = row; top < row + rows;) {
      const end = Math.min(row + rows, (top | SUBTILE - 1) + 1);
      for (let j = 0; j < columns; j++) {
        const to = above + valuePlace(height, column + j, top) - top;
        for (let i = top, from = (top - row) * columns + j; i < end; i++, from += columns) {
          memory[to + i] = data[from]!;
        }
      }
      top = end;
    }
  }
}

type Places = Omit<FeedbackState, "reach" | "readOriginals">;

/** A state that has `held` columns in memory, from those that the next anti-diagonals reach on. */
function movingState(
  places: Places,
  held: number,
  columns: number,
  window: MatrixWindow,
): FeedbackState {
  const { memory, height, width, above: start } = places;
  let first = 0, end = 0;
  const state: FeedbackState = {
    ...places,
    readOriginals: readByDiagonals(places, (diagonal, values) => window.read(diagonal, values)),
    reach(number) {
      const wanted = Math.min(width, number + AHEAD);
      if (wanted - first > held) {
        const next = Math.max(first, number - height);
        memory.copyWithin(start, start + (next - first) * height, start + (end - first) * height);
        first = next;
        state.above = start - first * height;
      }
      // Whole tiles, and so whole bands of columns.
      memory.fill(0, state.above + end * height, state.above + Math.max(end, wanted) * height);
      for (; end < wanted; end++) {
        if (end < columns) writeLine(places, state.above, end, window.line(end));
      }
    },
  };
  return state;
}

function writeLine(
  { memory, height }: Places,
  above: number,
  line: number,
  values: Float32Array,
): void {
  for (let first = 0; first < values.length; first += SUBTILE) {
    memory.set(values.subarray(first, first + SUBTILE), above + valuePlace(height, line, first));
  }
}

/** What brings originals into memory: subtiles at a time where all values are in memory elsewhere. */
function originalsReader(places: Places, matrix: SentMatrix): FeedbackState["readOriginals"] {
  if (isHeld(matrix)) return readByDiagonals(places, diagonalReader(matrix));
  const { memory, originals } = places;
  const { data, rows, columns } = matrix;
  const subtiles = { rows: Math.ceil(rows / SUBTILE), columns: Math.ceil(columns / SUBTILE) };
  return ({ number }) => {
    if (number % SUBTILE !== 0) return;
    const { row, column, length } = diagonalOf(subtiles, number / SUBTILE);
    for (let t = 0; t < length; t++) {
      const first = SUBTILE * (row + t), left = SUBTILE * (column - t);
      const end = Math.min(rows, first + SUBTILE), width = Math.min(columns - left, SUBTILE);
      let to = originalPlace(originals, first, left);
      for (let i = first; i < end; i++, to += SUBTILE) {
        const from = i * columns + left;
        for (let j = 0; j < width; j++) memory[to + j] = data[from + j]!;
      }
    }
  };
}

function readByDiagonals(
  { memory, height, width, originals }: Places,
  read: (diagonal: Diagonal, values: Float32Array) => void,
): FeedbackState["readOriginals"] {
  const values = new Float32Array(Math.min(height, width));
  return (diagonal) => {
    const { row, column, length } = diagonal;
    read(diagonal, values);
    for (let t = 0; t < length; t++) {
      memory[originalPlace(originals, row + t, column - t)] = values[t]!;
    }
  };
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
