import { CLASS_COUNT, UNIT_CLASS } from "../format/constants.ts";
import type { MatrixBlock } from "../matrix/matrix_blocks.ts";
import type { Diagonal } from "../scan/diagonals.ts";

/**
 * The first layer of the entropy model: the log2 scale of the symbol in row i and column j is
 * rows[i] + columns[j], in eighths of an octave.
 */
export interface RowColumnScales {
  /** One value a row. */
  readonly rows: Int32Array;
  /** One value a column. */
  readonly columns: Int32Array;
}

/** The smallest sum of a row and a column that has a class of its own. */
const LOWEST = -2 * UNIT_CLASS;
const HIGHEST = 2 * (CLASS_COUNT - 1 - UNIT_CLASS);

/** Class of a sum of a row's and a column's value. */
export function classOf(eighths: number): number {
  return (Math.min(Math.max(eighths, LOWEST), HIGHEST) >> 1) + UNIT_CLASS;
}

/** Writes the classes of the values of an anti-diagonal. */
export function writeClasses(
  { rows, columns }: RowColumnScales,
  { row, column, length }: Pick<Diagonal, "row" | "column" | "length">,
  classes: Uint8Array,
): void {
  for (let t = 0; t < length; t++) {
    const eighths = rows[row + t]! + columns[column - t]!;
    // As classOf says, but faster: this is done for every weight of a model that is decoded.
    const bounded = eighths < LOWEST ? LOWEST : eighths > HIGHEST ? HIGHEST : eighths;
    classes[t] = (bounded >> 1) + UNIT_CLASS;
  }
}

/** Scales are kept within this many eighths of an octave of zero. */
const FIELD_LIMIT = 400;
/** Rounds of alternation between rows and columns; the residual shrinks tenfold in each. */
const ROUNDS = 4;

/**
 * The scales of mean magnitudes: alternates between the rows' and the columns' means, in the manner
 * of Sinkhorn. Rows and columns of zeros get the lowest scale.
 */
export function fitRowColumnScales(
  magnitudes: Float32Array,
  rows: number,
  columns: number,
): RowColumnScales {
  const whole = { row: 0, column: 0, rows, columns, data: magnitudes };
  return fitScalesOfBlocks(() => [whole], rows, columns);
}

/** {@linkcode fitRowColumnScales} of a matrix in blocks, which are asked for several times. */
export function fitScalesOfBlocks(
  blocks: () => Iterable<MatrixBlock>,
  rows: number,
  columns: number,
): RowColumnScales {
  const rowScales = new Float64Array(rows).fill(1);
  const columnScales = new Float64Array(columns).fill(1);
  for (let round = 0; round < ROUNDS; round++) {
    const rowSums = new Float64Array(rows), columnSums = new Float64Array(columns);
    const sumUp = (axis: "rows" | "columns" | "both") => {
      for (const block of blocks()) addBlock(block, axis);
    };
    const addBlock = (block: MatrixBlock, axis: "rows" | "columns" | "both") => {
      const { data, row, column } = block;
      for (let i = 0; i < block.rows; i++) {
        const base = i * block.columns;
        if (axis !== "columns") {
          let sum = rowSums[row + i]!;
          for (let j = 0; j < block.columns; j++) {
            sum += Math.abs(data[base + j]!) / columnScales[column + j]!;
          }
          rowSums[row + i] = sum;
          rowScales[row + i] = Math.max(sum / columns, 1e-30);
        }
        if (axis === "rows") continue;
        const scale = rowScales[row + i]!;
        for (let j = 0; j < block.columns; j++) {
          const at = column + j;
          columnSums[at] = columnSums[at]! + Math.abs(data[base + j]!) / scale;
        }
      }
    };
    // Where blocks have whole rows, a row's scale is known before its columns are looked at.
    let hasRows = true;
    for (const block of blocks()) {
      if (!(hasRows = block.columns === columns)) break;
      addBlock(block, "both");
    }
    if (!hasRows) {
      sumUp("rows");
      sumUp("columns");
    }
    for (let j = 0; j < columns; j++) columnScales[j] = Math.max(columnSums[j]! / rows, 1e-30);
  }
  return centred(rowScales.map(toEighths), columnScales.map(toEighths));
}

function toEighths(scale: number): number {
  return Math.min(Math.max(8 * Math.log2(scale), -FIELD_LIMIT), FIELD_LIMIT);
}

/** Moves the columns' median into the rows, so that rounding and coding see small columns. */
function centred(rows: Float64Array, columns: Float64Array): RowColumnScales {
  const middle = columns.length === 0 ? 0 : columns.toSorted()[columns.length >> 1]!;
  const clamp = (value: number) => Math.min(Math.max(Math.round(value), -FIELD_LIMIT), FIELD_LIMIT);
  return {
    rows: Int32Array.from(rows, (value) => clamp(value + middle)),
    columns: Int32Array.from(columns, (value) => clamp(value - middle)),
  };
}
