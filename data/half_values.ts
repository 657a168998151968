import { fromFloat32 } from "./from_float32.ts";
import { releaseMemory } from "./release_memory.ts";
import { decodeTable, float16 } from "./small_float.ts";
import type { DType, HalfValues, WeightTensor } from "./tensor.ts";

let table: Uint32Array | undefined;

/** Writes the values from number `first` on to `target`, as many as it has. */
export function readHalf(
  { dtype, patterns }: HalfValues,
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

/** The values, in an array of their own. */
export function expandHalf(half: HalfValues): Float32Array {
  const values = new Float32Array(half.patterns.length);
  readHalf(half, 0, values);
  return values;
}

/**
 * What `use` makes of a tensor's values. Where they were expanded for that, their memory is given back
 * at once: `use` must not keep them.
 */
export function withValues<Result>(
  tensor: Pick<WeightTensor, "data" | "half">,
  use: (values: Float32Array) => Result,
): Result {
  const { data } = tensor;
  const result = use(data);
  releaseExpanded(tensor, data);
  return result;
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
  const bytes = fromFloat32(dtype, data);
  const patterns = shareUint16Array(new Uint16Array(bytes.buffer));
  if (patterns.buffer !== bytes.buffer) releaseMemory(bytes);
  const half = { dtype, patterns };
  return isExact(half, data) ? halfTensor(shape, half) : tensor;
}

/** A tensor whose values are expanded when they are asked for. */
function halfTensor(shape: readonly number[], half: HalfValues): WeightTensor {
  return {
    dtype: half.dtype,
    shape,
    half,
    get data() {
      return expandHalf(half);
    },
  };
}

function isHalf(dtype: DType): dtype is HalfValues["dtype"] {
  return dtype === "F16" || dtype === "BF16";
}

/** Values that are compared at once. */
const PIECE = 2 ** 16;

function isExact(half: HalfValues, data: Float32Array): boolean {
  const piece = new Float32Array(PIECE);
  const found = new Uint32Array(piece.buffer);
  const wanted = new Uint32Array(data.buffer, data.byteOffset, data.length);
  for (let first = 0; first < data.length; first += PIECE) {
    const length = Math.min(PIECE, data.length - first);
    readHalf(half, first, piece.subarray(0, length));
    for (let i = 0; i < length; i++) if (found[i] !== wanted[first + i]) return false;
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
