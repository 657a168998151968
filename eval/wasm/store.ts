import { InputError } from "../../data/input_error.ts";
import { releaseMemory } from "../../data/release_memory.ts";
import type { WeightTensor } from "../../data/tensor.ts";
import { transpose } from "../../data/transpose.ts";
import { canShareMemory } from "../../workers/shared_array.ts";
import type { ByteMatrix } from "../weights/byte_matrix.ts";
import { createMemory } from "./kernels.ts";

/** Rows that are narrowed together. */
const ROWS_AT_ONCE = 512;

/** Values to whose multiples rows are filled up with zeros. */
export const ROW_MULTIPLE = 16;

/**
 * Floats of a matrix as kernels number their kinds: of 32 bits, bfloat16, and of 16 bits with a mantissa
 * of 10, which hold what half precision does below 128, without its subnormal numbers, that processors
 * multiply slowly.
 */
export type FloatKind = 0 | 1 | 2;

/** Where a matrix is, a row for each output or token; addresses are byte offsets in the memory. */
export type StoredMatrix =
  & {
    readonly rows: number;
    readonly columns: number;
    /** Values from a row to the next. */
    readonly stride: number;
  }
  & (
    | { readonly form: "floats"; readonly kind: FloatKind; readonly at: number }
    | {
      readonly form: "bytes";
      /** Bytes of the whole numbers and the factors of their rows; sums of the planes are the numbers. */
      readonly planes: readonly { readonly at: number; readonly factors: number }[];
      /** Factors of the columns. */
      readonly columnFactors: number;
      /** What does not fit into the planes. */
      readonly sparse?: {
        readonly starts: number;
        readonly places: number;
        readonly values: number;
      };
    }
  );

/** Where every weight is: plain data, for threads. */
export interface StoredWeights {
  readonly matrices: ReadonlyMap<string, StoredMatrix>;
  /** Addresses of vectors, 32-bit floats. */
  readonly vectors: ReadonlyMap<string, number>;
}

/** The weights of a model in a memory of WebAssembly, as small as they can exactly be. */
export class WeightStore {
  /** Shared by threads where the platform allows it. */
  readonly memory: WebAssembly.Memory;
  readonly #matrices = new Map<string, StoredMatrix>();
  readonly #vectors = new Map<string, number>();
  #end = 1024;

  private constructor(memory: WebAssembly.Memory) {
    this.memory = memory;
  }

  /** An empty store; undefined where the platform has no WebAssembly. */
  static create(): WeightStore | undefined {
    const memory = createMemory(canShareMemory());
    return memory && new WeightStore(memory);
  }

  /** Where the weights are. */
  get weights(): StoredWeights {
    return { matrices: this.#matrices, vectors: this.#vectors };
  }

  /** Bytes that are taken. */
  get bytes(): number {
    return this.#end;
  }

  /** Takes `bytes` of zeros; throws {@linkcode InputError} where the memory ends. */
  reserve(bytes: number): number {
    const at = this.#end;
    this.#end = at + Math.ceil(bytes / 16) * 16;
    growTo(this.memory, this.#end);
    return at;
  }

  /** Keeps a tensor of one axis. */
  putVector(name: string, values: Float32Array): void {
    this.#vectors.set(name, this.#put(values, Math.ceil(values.length / 4) * 16));
  }

  /**
   * Keeps the matrix of a tensor of two axes, `swaps` says whether its transpose; in 16 bits where that
   * loses nothing.
   */
  putMatrix(name: string, { shape, data }: WeightTensor, swaps: boolean): void {
    const [first, second] = shape as [number, number];
    const [rows, columns] = swaps ? [second, first] : [first, second];
    const values = swaps ? transpose(data, first, second) : data;
    const kind = floatKind(values);
    const stride = rowStride(columns);
    const size = kind === 0 ? 4 : 2;
    const at = this.reserve(size * stride * rows);
    const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const run = ROWS_AT_ONCE * columns;
    for (let row = 0; row < rows; row += ROWS_AT_ONCE) {
      const part = words.subarray(row * columns, row * columns + run);
      const bits = kind === 0 ? part : narrowed(kind, part);
      this.#putRows(at + size * stride * row, bits, columns, stride);
    }
    if (swaps) releaseMemory(values);
    this.#matrices.set(name, { form: "floats", kind, at, rows, columns, stride });
  }

  /** Keeps a matrix as whole numbers. */
  putBytes(name: string, matrix: ByteMatrix): void {
    const { rows, columns, planes, rowFactors, columnFactors, sparse } = matrix;
    const stride = rowStride(columns);
    const stored = planes.map(({ bytes, unit }) => {
      const at = this.reserve(stride * rows);
      this.#putRows(at, bytes, columns, stride);
      return { at, factors: this.#put(rowFactors.map((factor) => factor * unit), 4 * rows) };
    });
    this.#matrices.set(name, {
      form: "bytes",
      rows,
      columns,
      stride,
      planes: stored,
      columnFactors: this.#put(columnFactors, 4 * stride),
      ...(sparse && {
        sparse: {
          starts: this.#put(sparse.starts, sparse.starts.byteLength),
          places: this.#put(sparse.places, sparse.places.byteLength),
          values: this.#put(sparse.values, sparse.values.byteLength),
        },
      }),
    });
  }

  #put(values: Float32Array | Uint32Array, bytes: number): number {
    const at = this.reserve(Math.max(bytes, values.byteLength));
    new Uint8Array(this.memory.buffer, at).set(
      new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    );
    return at;
  }

  #putRows(
    at: number,
    values: Uint32Array | Uint16Array | Int8Array,
    columns: number,
    stride: number,
  ): void {
    const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT: size } = values;
    const from = new Uint8Array(buffer, byteOffset, byteLength);
    const to = new Uint8Array(this.memory.buffer, at);
    if (columns === stride) return to.set(from);
    const length = columns * size;
    for (let start = 0, place = 0; start < byteLength; start += length, place += stride * size) {
      to.set(from.subarray(start, start + length), place);
    }
  }
}

/** Grows a memory to `bytes`; throws {@linkcode InputError} where it cannot. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / 65536);
  if (missing <= 0) return;
  try {
    memory.grow(missing);
  } catch {
    throw new InputError(
      `the model needs ${(bytes / 1e9).toFixed(1)} GB to write, more than WebAssembly gives it; ` +
        "choose a smaller model or shorter texts",
    );
  }
}

/** Values from a row to the next. */
export function rowStride(columns: number): number {
  return Math.ceil(columns / ROW_MULTIPLE) * ROW_MULTIPLE;
}

/** The smallest kind of floats that holds values. */
function floatKind(values: Float32Array): FloatKind {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let bits = 0, isHalf = true;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    bits |= word;
    const exponent = (word >>> 23 & 0xff) - LEAST_EXPONENT;
    isHalf &&= (exponent > 0 && exponent < 32) || (word & 0x7fffffff) === 0;
  }
  if ((bits & 0xffff) === 0) return 1;
  return isHalf && (bits & 0x1fff) === 0 ? 2 : 0;
}

/** The exponent of 32-bit floats that is 0 in those of 16 bits with a mantissa of 10. */
const LEAST_EXPONENT = 102;

/** Floats of 16 bits that hold what floats of 32 do. */
function narrowed(kind: 1 | 2, words: Uint32Array): Uint16Array {
  const narrow = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const size = word & 0x7fffffff;
    narrow[i] = kind === 1 || size === 0
      ? word >>> 16
      : word >>> 16 & 0x8000 | (size >>> 13) - (LEAST_EXPONENT << 10);
  }
  return narrow;
}
