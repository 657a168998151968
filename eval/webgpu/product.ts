import type { Device } from "./device.ts";
import { type OperandLayout, productCode, type ProductVariant } from "./product_code.ts";
import { isScaled, type RightType } from "./right_operand.ts";
import { type Binding, makeStep, real, type Step } from "./program.ts";

/** A matrix, or many of them, in a buffer. All places are multiples of 4 elements. */
export interface Operand {
  /** Where it is. */
  readonly buffer: Binding;
  /** Elements from one row of memory to the next. */
  readonly stride: number;
  /** The element with which the first matrix begins; 0 if omitted. */
  readonly start?: number;
  /** Elements between the matrices of one dispatch, counted from its first; 0 if omitted. */
  readonly perMatrix?: number;
  /** Elements between the matrices of neighbouring sequences; 0 if omitted. */
  readonly perSequence?: number;
  /** Elements between neighbouring heads; 0 if omitted. */
  readonly perHead?: number;
  /** How many heads share one matrix; 1 if omitted. */
  readonly group?: number;
}

/** An operand that is read. */
export interface InputOperand extends Operand {
  /** How it lies in memory. */
  readonly layout: OperandLayout;
}

/** A matrix that is multiplied by. */
export interface RightOperand extends InputOperand {
  /** What its elements are; float32 if omitted. Whole numbers are one matrix, along the inner axis. */
  readonly type?: RightType;
  /** The factors of whole numbers. */
  readonly scales?: Binding;
}

/** What {@linkcode productStep} is given. */
export interface ProductOptions {
  /** Rows of the result. */
  readonly rows: number;
  /** Columns of the result; those up to the next multiple of 4 are written too. */
  readonly columns: number;
  /** What is summed over; rows of memory along it are filled up with zeros to a multiple of 4. */
  readonly inner: number;
  /** The left operand. */
  readonly left: InputOperand;
  /** The right operand. */
  readonly right: RightOperand;
  /** The result. */
  readonly result: Operand;
  /** Added to each row. */
  readonly bias?: Binding | undefined;
  /** Whether the product is added to what the result holds. */
  readonly adds?: boolean;
  /** A factor of the product; 1 if omitted. */
  readonly factor?: number;
  /** What need not be computed; see {@linkcode ProductVariant}. */
  readonly skips?: ProductVariant["skips"];
  /** Tokens that one attends to, where matrices are causal. */
  readonly window?: number | undefined;
  /** Number of matrices, 1 if omitted. */
  readonly matrices?: number;
  /** Number of the first matrix among all sequences and heads; 0 if omitted. */
  readonly firstMatrix?: number;
  /** Heads of a sequence; 1 if omitted. */
  readonly heads?: number;
  /** Rows and columns of a tile; chosen by size if omitted. */
  readonly tile?: ProductVariant["tile"];
}

/** Stands for a sliding window that is longer than any sequence. */
export const noWindow = 2 ** 30;

/** A matrix product, or one for each head of each sequence. */
export function productStep(device: Device, options: ProductOptions): Step {
  const { rows, columns, inner, left, right, result, bias, factor = 1, matrices = 1 } = options;
  const tile = options.tile ?? chooseTile(options);
  const tiles = [Math.ceil(columns / tile[1]), Math.ceil(rows / tile[0])] as const;
  // Neighbouring workgroups share the operand that is too large to be near the cores.
  const rowsFirst = columns > rows;
  return makeStep(device, {
    code: productCode({
      left: left.layout,
      right: right.layout,
      rightType: right.type ?? "f32",
      bias: bias !== undefined,
      adds: options.adds ?? false,
      skips: options.skips ?? "none",
      tile,
    }),
    numbers: [
      rows,
      columns,
      inner,
      options.firstMatrix ?? 0,
      options.heads ?? 1,
      options.window ?? noWindow,
      rowsFirst ? 1 : 0,
      ...[left, right, result].flatMap(operandNumbers),
      real(factor),
    ],
    buffers: [left.buffer, right.buffer, result.buffer, ...scalesOf(right), ...optional(bias)],
    workgroups: rowsFirst ? [tiles[1], tiles[0], matrices] : [tiles[0], tiles[1], matrices],
  });
}

/** The buffer of a matrix' factors, if its elements have some. */
export function scalesOf({ type = "f32", layout, scales }: RightOperand): readonly Binding[] {
  if (!isScaled(type)) return [];
  if (layout !== "alongInner") throw new RangeError("whole numbers lie along the inner axis");
  return [scales!];
}

function optional(bias: Binding | undefined): readonly Binding[] {
  return bias === undefined ? [] : [bias];
}

/**
 * With fewer workgroups of 128 × 128 than this, smaller ones are faster: measured on a card of 132
 * cores, each of which needs two workgroups to be busy.
 */
const busyWorkgroups = 192;

/** Large tiles read less; small ones waste less at the edges and keep more cores busy. */
export function chooseTile(
  { rows, columns, matrices = 1, skips }: Pick<
    ProductOptions,
    "rows" | "columns" | "matrices" | "skips"
  >,
): ProductVariant["tile"] {
  if (rows <= 64 || rows * columns * matrices < 2 ** 17) return [64, 64];
  if (columns % 128 > 0 && columns % 128 <= 64 && columns <= 192) return [128, 64];
  const [down, across] = [Math.ceil(rows / 128), Math.ceil(columns / 128)];
  const workgroups = skips === "above" ? down * (down + 1) / 2 : down * across;
  return matrices * workgroups < busyWorkgroups ? [128, 64] : [128, 128];
}

function operandNumbers(
  { start = 0, stride, perMatrix = 0, perSequence = 0, perHead = 0, group = 1 }: Operand,
): number[] {
  const places = [start, stride, perMatrix, perSequence, perHead];
  const odd = places.find((place) => place % 4 !== 0);
  if (odd !== undefined) throw new RangeError(`${odd} elements are not a multiple of 4`);
  return [...places.map((place) => place / 4), group];
}
