import {
  type AddErrors,
  addErrors,
  type FeedbackState,
  feedbackWeight,
  type RowRange,
} from "../quantize/error_feedback.ts";
import { instantiateKernel } from "./instantiate.ts";
import { PRODUCT_WASM } from "./product_wasm.ts";

/** What product.as.ts exports. */
interface ProductExports {
  addProduct(
    rows: number,
    columns: number,
    depth: number,
    a: number,
    b: number,
    c: number,
    strip: number,
  ): void;
}

/** Rows and columns of a register tile; panels have whole numbers of them. */
const TILE_ROWS = 6, TILE_COLUMNS = 8;
/** Largest panels that are multiplied at once. */
const ROWS = 42 * TILE_ROWS, COLUMNS = 512, DEPTH = 256;
/** Products of fewer rows take less time than the copies into the kernel's memory. */
const FEWEST_ROWS = 4;

/** Views of the kernel's memory. */
interface Panels {
  readonly product: ProductExports["addProduct"];
  readonly strip: Float32Array;
  readonly weights: Float32Array;
  readonly errors: Float32Array;
  readonly targets: Float32Array;
}

/**
 * `addErrors` in WebAssembly SIMD, with the same results to the bit; `undefined` where the platform
 * lacks it. Works on panels, in 1.4 MB of memory whatever the size of the matrix.
 */
export function createErrorFeedbackKernel(): AddErrors | undefined {
  const lengths = [TILE_COLUMNS * DEPTH, ROWS * DEPTH, DEPTH * COLUMNS, ROWS * COLUMNS];
  const total = lengths.reduce((sum, length) => sum + length);
  const kernel = instantiateKernel<ProductExports>([PRODUCT_WASM], 4 * total);
  if (kernel === undefined) return undefined;
  const { exports, memory } = kernel;
  let start = 0;
  const [strip, weights, errors, targets] = lengths.map((length) => {
    start += length;
    return new Float32Array(memory, 4 * (start - length), length);
  }) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const panels: Panels = { product: exports.addProduct, strip, weights, errors, targets };
  return (state, from, to) => {
    if (from[1] - from[0] < FEWEST_ROWS) return addErrors(state, from, to);
    for (let column = 0; column < state.columns; column += COLUMNS) {
      const columns: RowRange = [column, Math.min(state.columns, column + COLUMNS)];
      for (let k = from[0]; k < from[1]; k += DEPTH) {
        const depth: RowRange = [k, Math.min(from[1], k + DEPTH)];
        addPanels(panels, state, depth, to, columns);
      }
    }
  };
}

function addPanels(
  panels: Panels,
  state: FeedbackState,
  from: RowRange,
  to: RowRange,
  columns: RowRange,
): void {
  const depth = from[1] - from[0];
  const width = ceilTo(columns[1] - columns[0], TILE_COLUMNS);
  copyIn(state.errors, state.columns, from, columns, panels.errors, width);
  for (let row = to[0]; row < to[1]; row += ROWS) {
    const rows: RowRange = [row, Math.min(to[1], row + ROWS)];
    packWeights(state, from, rows, panels.weights);
    copyIn(state.targets, state.columns, rows, columns, panels.targets, width);
    panels.product(
      ceilTo(rows[1] - rows[0], TILE_ROWS),
      width,
      depth,
      panels.weights.byteOffset,
      panels.errors.byteOffset,
      panels.targets.byteOffset,
      panels.strip.byteOffset,
    );
    copyOut(panels.targets, width, state.targets, state.columns, rows, columns);
  }
}

function ceilTo(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** Weights in tiles of six target rows, [tile][error row][target row], the last filled with zeros. */
function packWeights(
  state: FeedbackState,
  [fromStart, fromEnd]: RowRange,
  [toStart, toEnd]: RowRange,
  packed: Float32Array,
): void {
  const tileLength = (fromEnd - fromStart) * TILE_ROWS;
  const tilesLength = Math.ceil((toEnd - toStart) / TILE_ROWS) * tileLength;
  for (let k = fromStart, first = 0; k < fromEnd; k++, first += TILE_ROWS) {
    let i = toStart;
    for (let tile = first; tile < tilesLength; tile += tileLength) {
      for (let at = tile; at < tile + TILE_ROWS; at++, i++) {
        packed[at] = i < toEnd ? feedbackWeight(state, k, i) : 0;
      }
    }
  }
}

function copyIn(
  matrix: Float32Array,
  stride: number,
  rows: RowRange,
  columns: RowRange,
  panel: Float32Array,
  width: number,
): void {
  for (let row = rows[0], at = 0; row < rows[1]; row++, at += width) {
    panel.set(matrix.subarray(row * stride + columns[0], row * stride + columns[1]), at);
  }
}

function copyOut(
  panel: Float32Array,
  width: number,
  matrix: Float32Array,
  stride: number,
  rows: RowRange,
  columns: RowRange,
): void {
  const length = columns[1] - columns[0];
  for (let row = rows[0], at = 0; row < rows[1]; row++, at += width) {
    matrix.set(panel.subarray(at, at + length), row * stride + columns[0]);
  }
}
