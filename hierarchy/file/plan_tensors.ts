import { assertFiniteTensor } from "../../data/finite.ts";
import { valuePieces } from "../../data/half_values.ts";
import { InputError } from "../../data/input_error.ts";
import { narrowsSafely } from "../../data/narrowing.ts";
import { type DType, elementCount, type WeightTensor } from "../../data/tensor.ts";
import { foldTensors, type StoredTensor, unfoldTensors } from "./tensor_names.ts";
import type { MatrixShape } from "../matrix/matrix.ts";

/** What becomes of each tensor of a model. */
export interface TensorPlan {
  /** Every tensor that is stored, in the order of the file. */
  readonly stored: readonly StoredTensor[];
  /** Tensors whose values are another's, by name: tied weights. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** Settings of {@linkcode planTensors}. */
export interface TensorPlanOptions {
  /** Keep tensors that the levels do not code in their own element type, not as f16. */
  readonly losslessSmall: boolean;
  /** Names of the matrices that the levels code transposed. */
  readonly transposed: ReadonlySet<string>;
  /** Names of matrices that are kept in their own element type, because the levels lose them. */
  readonly kept?: ReadonlySet<string>;
}

const FLOAT_DTYPES: ReadonlySet<DType> = new Set([
  "F64",
  "F32",
  "F16",
  "BF16",
  "F8_E4M3",
  "F8_E5M2",
]);

/**
 * Decides how each tensor is stored: matrices of floating-point numbers are coded by the levels;
 * vectors (norms, biases) are kept as f16 where that does no harm, else as f32, and integers as they
 * are; a matrix equal to an earlier one is stored once. Throws {@linkcode InputError} if a value is not finite.
 */
export function planTensors(
  tensors: ReadonlyMap<string, WeightTensor>,
  { losslessSmall, transposed, kept: unCoded }: TensorPlanOptions,
): TensorPlan {
  const aliases = new Map<string, string>();
  const stored: StoredTensor[] = [];
  const kept = new Map<string, string[]>();
  for (const [name, tensor] of tensors) {
    checkTensor(name, tensor);
    const key = JSON.stringify([tensor.dtype, tensor.shape]);
    const equal = kept.get(key)?.find((other) => sameValues(tensor, tensors.get(other)!));
    if (equal !== undefined && isCoded(tensor.shape)) {
      aliases.set(name, equal);
      continue;
    }
    kept.set(key, [...kept.get(key) ?? [], name]);
    const { dtype, shape } = tensor;
    const storedAs = unCoded?.has(name) ? dtype : storageType(tensor, losslessSmall);
    stored.push({
      name,
      dtype,
      shape,
      ...(storedAs !== undefined ? { stored: storedAs } : {}),
      ...(storedAs === undefined && transposed.has(name) ? { transposed: true } : {}),
    });
  }
  return { stored: unfoldTensors(foldTensors(stored)), aliases };
}

function checkTensor(name: string, tensor: WeightTensor): void {
  const { shape, half } = tensor;
  const { length } = half === undefined ? tensor.data : half.patterns;
  if (elementCount(shape) !== length) {
    throw new InputError(`${name}: has ${length} values, but its shape is [${shape}]`);
  }
  assertFiniteTensor(name, tensor);
}

function sameValues(a: WeightTensor, b: WeightTensor): boolean {
  if ((a.half === undefined) !== (b.half === undefined)) {
    const one = a.data, other = b.data;
    return one.every((value, i) => Object.is(value, other[i]));
  }
  // Pieces of both are equally long.
  const others = valuePieces(b);
  for (const one of valuePieces(a)) {
    const other = others.next().value!;
    if (!one.every((value, i) => Object.is(value, other[i]))) return false;
  }
  return true;
}

/** Element type of a tensor kept exactly, or undefined if the levels code it. */
function storageType(tensor: WeightTensor, lossless: boolean): DType | undefined {
  const { dtype, shape } = tensor;
  if (!FLOAT_DTYPES.has(dtype)) return dtype;
  if (isCoded(shape)) return undefined;
  const own = lossless || dtype === "F16" || dtype === "BF16" || dtype.startsWith("F8");
  const narrow = own ? dtype : "F16";
  return narrowsSafely(narrow, tensor.data) ? narrow : "F32";
}

/** Whether a tensor is a matrix with more than one row and column. */
export function isCoded(shape: readonly number[]): boolean {
  const { rows, columns } = matrixShape({ name: "", shape });
  return shape.length >= 2 && rows > 1 && columns > 1;
}

/** A tensor as the levels see it: its first axis by all others, or the other way round. */
export function matrixShape(
  { name, shape, transposed }: Pick<StoredTensor, "name" | "shape" | "transposed">,
): MatrixShape {
  const first = shape[0] ?? 1, others = elementCount(shape.slice(1));
  return transposed
    ? { name, rows: others, columns: first }
    : { name, rows: first, columns: others };
}

/** The matrices that the first level codes, in order. */
export function codedShapes(stored: readonly StoredTensor[]): MatrixShape[] {
  return stored.filter((tensor) => tensor.stored === undefined).map(matrixShape);
}
