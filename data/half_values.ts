import { type FileArray, readFileArray } from "./file_array.ts";
import { fromFloat32 } from "./from_float32.ts";
import { releaseMemory } from "./release_memory.ts";
import { decodeTable, float16 } from "./small_float.ts";
import type { DType, HalfValues, WeightTensor } from "./tensor.ts";

let table: Uint32Array | undefined;

/** Values that are looked at together. */
const PIECE = 2 ** 20;

/** Writes the values from number `first` on to `target`, as many as it has. */
export function readHalf(half: HalfValues, first: number, target: Float32Array): void {
  const { dtype, patterns } = half;
  if (patterns instanceof Uint16Array) return expandPatterns(dtype, patterns, first, target);
  if (dtype === "F32") return readFileArray(patterns, first, target);
  const read = new Uint16Array(Math.min(PIECE, target.length));
  for (let at = 0; at < target.length; at += PIECE) {
    const part = read.subarray(0, Math.min(PIECE, target.length - at));
    readFileArray(patterns, first + at, part);
    expandPatterns(dtype, part, 0, target.subarray(at, at + part.length));
  }
}

function expandPatterns(
  dtype: HalfValues["dtype"],
  patterns: Uint16Array,
  first: number,
  target: Float32Array,
): void {
  // Bit patterns, because a float store may change a NaN's.
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length);
  if (dtype === "BF16") {
    for (let i = 0; i < words.length; i++) words[i] = patterns[first + i]! << 16;
    return;
  }
  table ??= decodeTable(float16);
  for (let i = 0; i < words.length; i++) words[i] = table[patterns[first + i]!]!;
}

/**
 * A tensor's values in order: as they are, or where they are held otherwise, in pieces which are
 * overwritten one by the next.
 */
export function* valuePieces(
  tensor: Pick<WeightTensor, "data" | "half">,
): Generator<Float32Array, void> {
  const { half } = tensor;
  if (half === undefined) return yield tensor.data;
  const { length } = half.patterns;
  const piece = new Float32Array(Math.min(PIECE, length));
  for (let first = 0; first < length; first += PIECE) {
    const part = piece.subarray(0, Math.min(PIECE, length - first));
    readHalf(half, first, part);
    yield part;
  }
}

/** Whether a tensor's values are in a file. */
export function isInFile({ half }: Pick<WeightTensor, "half">): boolean {
  return half !== undefined && !(half.patterns instanceof Uint16Array);
}

/** The values, in an array of their own. */
export function expandHalf(half: HalfValues): Float32Array {
  const values = new Float32Array(half.patterns.length);
  readHalf(half, 0, values);
  return values;
}

/**
 * Gives the memory of values that were read off a tensor back, if they were expanded for that. A copy
 * of a tensor (`{ ...tensor }`) has values of its own beside the patterns: they stay.
 */
export function releaseExpanded(tensor: Pick<WeightTensor, "data">, values: Float32Array): void {
  if (Object.getOwnPropertyDescriptor(tensor, "data")?.get !== undefined) releaseMemory(values);
}

/**
 * The tensor with its values in 16 bits each, where its element type has so many and loses none of
 * them; otherwise as it was. `data` of what is given is then expanded anew at each access.
 */
export function holdAsStored(tensor: WeightTensor): WeightTensor {
  const { dtype, shape, data } = tensor;
  if (!isHalf(dtype)) return tensor;
  const narrowed = narrowedExactly(dtype, data);
  if (narrowed === undefined) return tensor;
  const patterns = shareUint16Array(narrowed);
  if (patterns.buffer !== narrowed.buffer) releaseMemory(narrowed);
  return halfTensor(dtype, shape, { dtype, patterns });
}

/** Values in 16 bits each; undefined where those lose any of them. */
export function narrowedExactly(
  dtype: "F16" | "BF16",
  data: Float32Array,
): Uint16Array<ArrayBuffer> | undefined {
  const patterns = new Uint16Array(fromFloat32(dtype, data).buffer as ArrayBuffer);
  return isExact({ dtype, patterns }, data) ? patterns : undefined;
}

/** A tensor whose values are in a file and read when they are asked for. */
export function tensorInFile(
  { dtype, shape }: Omit<WeightTensor, "data">,
  patterns: FileArray<"Uint16Array" | "Float32Array">,
): WeightTensor {
  const held = patterns.kind === "Float32Array" || !isHalf(dtype) ? "F32" : dtype;
  return halfTensor(dtype, shape, { dtype: held, patterns });
}

/** A tensor whose values are expanded when they are asked for. */
function halfTensor(dtype: DType, shape: readonly number[], half: HalfValues): WeightTensor {
  return {
    dtype,
    shape,
    half,
    get data() {
      return expandHalf(half);
    },
  };
}

function isHalf(dtype: DType): dtype is "F16" | "BF16" {
  return dtype === "F16" || dtype === "BF16";
}

function isExact(half: HalfValues, data: Float32Array): boolean {
  const wanted = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let first = 0;
  for (const { buffer, length } of valuePieces({ half, data })) {
    const found = new Uint32Array(buffer, 0, length);
    for (let i = 0; i < length; i++) if (found[i] !== wanted[first + i]) return false;
    first += length;
  }
  return true;
}

/** The same values where threads share them, if the platform allows it. */
function shareUint16Array(values: Uint16Array): Uint16Array {
  if (typeof SharedArrayBuffer === "undefined") return values;
  const shared = new Uint16Array(new SharedArrayBuffer(values.byteLength));
  shared.set(values);
  return shared;
}
