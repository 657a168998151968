import type { ErrorMetric, Matrix } from "../levels/level.ts";
import { packedIndex } from "../metric/packed_upper.ts";
import { type Diagonal, diagonalOf } from "./diagonals.ts";

/** Rows and columns of the tiles that errors are passed on between by matrix products. */
export const TILE = 32;

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
   * Column-major: values and the first sum so far of what is not quantized yet, errors E of what is.
   */
  readonly above: number;
  /** A, row-major, `height * height`. */
  readonly rowFactors: number;
  /** Feedback between columns, where there is any. */
  readonly left?: {
    /** Row-major: the second sum so far of what is not quantized yet, Q of what is. */
    readonly sums: number;
    /** Where row l of B would have its element of column 0. These tables are in memory too. */
    readonly factorRows: Int32Array;
    /** First column of the block of each column; blocks are whole tiles. */
    readonly starts: Int32Array;
    /** Column after the block of each column. */
    readonly ends: Int32Array;
  };
}

/** The two operations that nearly all the work is in. */
export interface FeedbackOperations {
  /** Memory for at least `length` float32, all zero. */
  allocate(length: number): Float32Array;
  /**
   * C += X F for a square tile C: all are places in memory with strides; X has `depth` columns, F as
   * many rows. Sums run over them in order, each operation rounded to float32.
   */
  addProduct(state: FeedbackState, product: TileProduct): void;
  /** Adds the errors of an anti-diagonal to what is near: the same tile and the next. */
  addNear(state: FeedbackState, diagonal: Diagonal): void;
}

/** Operands of {@linkcode FeedbackOperations.addProduct}. */
export interface TileProduct {
  /** The tile that is added to. */
  readonly to: number;
  /** Distance of its rows. */
  readonly toStride: number;
  /** The first factor. */
  readonly errors: number;
  /** Distance of its rows. */
  readonly errorStride: number;
  /** The second factor. */
  readonly factors: number;
  /** Distance of its rows. */
  readonly factorStride: number;
  /** Columns of the first factor and rows of the second. */
  readonly depth: number;
}

/** Operations and the state that they work on. */
export interface Feedback {
  /** The state. */
  readonly state: FeedbackState;
  /** What works on it. */
  readonly operations: FeedbackOperations;
}

/** The state before anything is quantized. */
export function startFeedback(
  { rows, columns, data }: Matrix,
  metric: ErrorMetric,
  operations: FeedbackOperations,
): Feedback {
  const height = wholeTiles(rows), width = wholeTiles(columns);
  const blocks = metric.columnBlocks ?? [];
  let length = 0;
  const place = (size: number) => (length += size) - size;
  const above = place(height * width);
  const rowFactors = place(height * height);
  const sums = blocks.length > 0 ? place(height * width) : 0;
  const blockPlaces = blocks.map(({ size }) => place(wholeTiles(size) ** 2));
  const tables = blocks.length > 0 ? place(3 * width) : 0;
  const memory = operations.allocate(length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) memory[above + j * height + i] = data[i * columns + j]!;
  }
  const { rowSteps, columnSteps } = metric;
  unpack(memory, rowFactors, height, { size: rows, feedback: metric.feedback }, rowSteps);
  const base = { memory, height, width, above, rowFactors };
  if (blocks.length === 0) return { state: base, operations };
  const [factorRows, starts, ends] = [0, 1, 2].map((table) =>
    new Int32Array(memory.buffer, memory.byteOffset + 4 * (tables + table * width), width)
  ) as [Int32Array, Int32Array, Int32Array];
  blocks.forEach((block, b) => {
    const { start, size } = block, stride = wholeTiles(size);
    unpack(memory, blockPlaces[b]!, stride, block, columnSteps?.subarray(start, start + size));
    for (let l = 0; l < stride; l++) {
      factorRows[start + l] = blockPlaces[b]! + l * stride - start;
      starts[start + l] = start;
      ends[start + l] = start + stride;
    }
  });
  return { state: { ...base, left: { sums, factorRows, starts, ends } }, operations };
}

function wholeTiles(size: number): number {
  return Math.ceil(size / TILE) * TILE;
}

/** Writes a packed triangle as a square of a stride, for values that are divided by `steps`. */
function unpack(
  memory: Float32Array,
  place: number,
  stride: number,
  { size, feedback }: { readonly size: number; readonly feedback: Float32Array },
  steps: Float64Array | undefined,
): void {
  for (let k = 0; k < size; k++) {
    const from = packedIndex(size, k, 0), to = place + k * stride;
    const step = steps?.[k] ?? 1;
    for (let i = k + 1; i < size; i++) {
      memory[to + i] = feedback[from + i]! * step / (steps?.[i] ?? 1);
    }
  }
}

/** Writes what the values of an anti-diagonal are to be quantized at; goes over them in order. */
export function readTargets(
  { state, operations }: Feedback,
  diagonal: Diagonal,
  targets: Float32Array,
): void {
  if (diagonal.number % TILE === 0) addFarErrors(state, operations, diagonal.number / TILE);
  const { memory, height, width, above, left } = state;
  const { row, column, length } = diagonal;
  let at = above + column * height + row;
  for (let t = 0; t < length; t++, at -= height - 1) targets[t] = memory[at]!;
  if (left === undefined) return;
  at = left.sums + row * width + column;
  for (let t = 0; t < length; t++, at += width - 1) targets[t] = targets[t]! + memory[at]!;
}

/** Passes on the errors of an anti-diagonal whose values in `matrix` became `levels`. */
export function passOn(
  { state, operations }: Feedback,
  diagonal: Diagonal,
  { data, columns }: Matrix,
  levels: Float32Array,
): void {
  const { memory, height, width, above, left } = state;
  const { row, column, length } = diagonal;
  for (let t = 0; t < length; t++) {
    const i = row + t, j = column - t;
    const at = above + j * height + i;
    if (left !== undefined) memory[left.sums + i * width + j] = memory[at]! - levels[t]!;
    memory[at] = data[i * columns + j]! - levels[t]!;
  }
  operations.addNear(state, diagonal);
}

/** Adds to the tiles whose first value is on this anti-diagonal the errors that are not near. */
function addFarErrors(state: FeedbackState, operations: FeedbackOperations, tiles: number): void {
  const { height, width, above, rowFactors, left } = state;
  const size = { rows: height / TILE, columns: width / TILE };
  if (tiles > size.rows + size.columns - 2) return;
  const { row, column, length } = diagonalOf(size, tiles);
  for (let t = 0; t < length; t++) {
    const i = TILE * (row + t), j = TILE * (column - t);
    if (i > TILE) {
      operations.addProduct(state, {
        to: above + j * height + i,
        toStride: height,
        errors: above + j * height,
        errorStride: height,
        factors: rowFactors + i,
        factorStride: height,
        depth: i - TILE,
      });
    }
    const start = left?.starts[j] ?? 0;
    if (left !== undefined && j - start > TILE) {
      operations.addProduct(state, {
        to: left.sums + i * width + j,
        toStride: width,
        errors: left.sums + i * width + start,
        errorStride: width,
        factors: left.factorRows[start]! + j,
        factorStride: left.ends[j]! - start,
        depth: j - start - TILE,
      });
    }
  }
}

const { fround } = Math;

/**
 * {@linkcode FeedbackOperations} in plain TypeScript: the reference that the WebAssembly kernel equals
 * bit for bit.
 */
export const feedbackOperations: FeedbackOperations = {
  allocate: (length) => new Float32Array(length),
  addProduct({ memory }, { to, toStride, errors, errorStride, factors, factorStride, depth }) {
    for (let i = 0; i < TILE; i++) {
      for (let j = 0; j < TILE; j++) {
        let sum = memory[to + i * toStride + j]!;
        for (let p = 0; p < depth; p++) {
          const error = memory[errors + i * errorStride + p]!;
          sum = fround(sum + fround(error * memory[factors + p * factorStride + j]!));
        }
        memory[to + i * toStride + j] = sum;
      }
    }
  },
  addNear({ memory, height, width, above, rowFactors, left }, { row, column, length }) {
    for (let t = 0; t < length; t++) {
      const i = row + t, j = column - t;
      addMultiple(memory, above + j * height, rowFactors + i * height, i, nearEnd(i, height));
      if (left === undefined) continue;
      const end = nearEnd(j, left.ends[j]!);
      addMultiple(memory, left.sums + i * width, left.factorRows[j]!, j, end);
    }
  },
};

/** Adds the error at `index` times factors to the values after it. */
function addMultiple(
  memory: Float32Array,
  values: number,
  factors: number,
  index: number,
  end: number,
): void {
  const error = memory[values + index]!;
  for (let i = index + 1; i < end; i++) {
    memory[values + i] = memory[values + i]! + fround(error * memory[factors + i]!);
  }
}

/** End of the tile after that of an index. */
function nearEnd(index: number, end: number): number {
  return Math.min(end, (Math.floor(index / TILE) + 2) * TILE);
}
