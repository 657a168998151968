import { triangleStart } from "../matrix/triangle.ts";
import { type RowRange, type SubtractRows, subtractRows } from "./subtract_rows.ts";
import { FACTOR_WASM } from "../kernels/factor_wasm.ts";
import { instantiateKernel } from "../kernels/instantiate.ts";

/** What factor.as.ts exports. */
interface FactorExports {
  subtractProduct(
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
const TILE_ROWS = 6, TILE_COLUMNS = 4;
/** Largest panels that are multiplied at once. */
const ROWS = 42 * TILE_ROWS, COLUMNS = 256, DEPTH = 128;
/** Products of fewer rows take less time than the copies into the kernel's memory. */
const FEWEST_ROWS = 4;

/** Views of the kernel's memory. */
interface Panels {
  readonly product: FactorExports["subtractProduct"];
  readonly strip: Float64Array;
  readonly weights: Float64Array;
  readonly rows: Float64Array;
  readonly targets: Float64Array;
}

/**
 * `subtractRows` in WebAssembly SIMD, with the same results to the bit; `undefined` if the
 * platform lacks it. Works on panels, in 1.1 MB of memory whatever the size of the matrix.
 */
export function createFactorKernel(): SubtractRows | undefined {
  const lengths = [TILE_COLUMNS * DEPTH, ROWS * DEPTH, DEPTH * COLUMNS, ROWS * COLUMNS];
  const total = lengths.reduce((sum, length) => sum + length);
  const kernel = instantiateKernel<FactorExports>([FACTOR_WASM], 8 * total);
  if (kernel === undefined) return undefined;
  const { exports, memory: { buffer: memory } } = kernel;
  let start = 0;
  const [strip, weights, rows, targets] = lengths.map((length) => {
    start += length;
    return new Float64Array(memory, 8 * (start - length), length);
  }) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const panels: Panels = { product: exports.subtractProduct, strip, weights, rows, targets };
  return (triangle, from, to) => {
    if (from[1] - from[0] < FEWEST_ROWS) return subtractRows(triangle, from, to);
    for (let column = 0; column < to[1]; column += COLUMNS) {
      const columns: RowRange = [column, Math.min(to[1], column + COLUMNS)];
      for (let k = from[0]; k < from[1]; k += DEPTH) {
        subtractPanels(panels, triangle, [k, Math.min(from[1], k + DEPTH)], to, columns);
      }
    }
  };
}

function subtractPanels(
  panels: Panels,
  triangle: Float64Array,
  from: RowRange,
  to: RowRange,
  columns: RowRange,
): void {
  const width = ceilTo(columns[1] - columns[0], TILE_COLUMNS);
  forEachPart(triangle, from, columns, (part, row) => panels.rows.set(part, row * width));
  // Rows before the first of these columns have nothing in them.
  for (let row = Math.max(to[0], columns[0]); row < to[1]; row += ROWS) {
    const rows: RowRange = [row, Math.min(to[1], row + ROWS)];
    packWeights(triangle, from, rows, panels.weights);
    forEachPart(triangle, rows, columns, (part, at) => panels.targets.set(part, at * width));
    panels.product(
      ceilTo(rows[1] - rows[0], TILE_ROWS),
      width,
      from[1] - from[0],
      panels.weights.byteOffset,
      panels.rows.byteOffset,
      panels.targets.byteOffset,
      panels.strip.byteOffset,
    );
    forEachPart(triangle, rows, columns, (part, at) => {
      part.set(panels.targets.subarray(at * width, at * width + part.length));
    });
  }
}

function ceilTo(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** The columns of each row as far as the triangle has them, with the row's number in `rows`. */
function forEachPart(
  triangle: Float64Array,
  rows: RowRange,
  columns: RowRange,
  visit: (part: Float64Array, row: number) => void,
): void {
  for (let row = rows[0]; row < rows[1]; row++) {
    const first = triangleStart(row);
    const end = Math.min(columns[1], row + 1);
    visit(triangle.subarray(first + columns[0], first + end), row - rows[0]);
  }
}

/** Weights in tiles of six target rows, [tile][k][target row], the last filled with zeros. */
function packWeights(
  triangle: Float64Array,
  [fromStart, fromEnd]: RowRange,
  [toStart, toEnd]: RowRange,
  packed: Float64Array,
): void {
  const tileLength = (fromEnd - fromStart) * TILE_ROWS;
  const tilesLength = Math.ceil((toEnd - toStart) / TILE_ROWS) * tileLength;
  for (let k = fromStart, first = 0; k < fromEnd; k++, first += TILE_ROWS) {
    const row = triangleStart(k);
    let j = toStart;
    for (let tile = first; tile < tilesLength; tile += tileLength) {
      for (let at = tile; at < tile + TILE_ROWS; at++, j++) {
        packed[at] = j < toEnd ? triangle[row + j]! : 0;
      }
    }
  }
}
