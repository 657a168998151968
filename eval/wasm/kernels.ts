import { fromBase64 } from "../../data/base64.ts";
import { ATTENTION_WASM } from "./attention_wasm.ts";
import { BYTES_WASM } from "./bytes_wasm.ts";
import { FLOATS_WASM } from "./floats_wasm.ts";
import { VECTORS_WASM } from "./vectors_wasm.ts";

/** Says where the products of a kernel go. */
interface OutputKernel {
  setOutput(y: number, bias: number, adds: number, scale: number): void;
}

/** Products of matrices of floats; addresses are byte offsets in the kernels' memory, as in all of them. */
export interface FloatKernel extends OutputKernel {
  multiplyFloats(
    kind: number,
    matrix: number,
    columns: number,
    first: number,
    end: number,
    x: number,
    vectorBytes: number,
    vectors: number,
    outputBytes: number,
    panel: number,
  ): void;
  expandFloats(kind: number, matrix: number, row: number, columns: number, to: number): void;
}

/** Products of matrices of bytes. */
export interface ByteKernel extends OutputKernel {
  splitVector(x: number, count: number, to: number, step: number): void;
  multiplyBytes(
    matrix: number,
    factors: number,
    columns: number,
    first: number,
    end: number,
    x: number,
    vectorBytes: number,
    steps: number,
    vectors: number,
    outputBytes: number,
  ): void;
  addSparse(
    starts: number,
    places: number,
    values: number,
    factors: number,
    first: number,
    end: number,
    x: number,
    vectorBytes: number,
    vectors: number,
    outputBytes: number,
  ): void;
  expandBytes(
    matrix: number,
    row: number,
    columns: number,
    columnFactors: number,
    rowFactors: number,
    adds: number,
    to: number,
  ): void;
  expandSparse(
    starts: number,
    places: number,
    values: number,
    rowFactors: number,
    columnFactors: number,
    row: number,
    to: number,
  ): void;
}

/** What layers do between products. */
export interface VectorKernel {
  multiplyVectors(x: number, y: number, count: number, to: number): void;
  copy(from: number, to: number, count: number): void;
  scale(x: number, count: number, factor: number): void;
  add(x: number, y: number, count: number, factor: number): void;
  normalize(
    x: number,
    to: number,
    size: number,
    centres: number,
    epsilon: number,
    weight: number,
    offset: number,
    bias: number,
  ): void;
  rotate(x: number, cosines: number, sines: number, half: number): void;
}

/** What has exponentials. */
export interface AttentionKernel {
  activate(kind: number, x: number, gated: number, count: number): void;
  capSoftly(x: number, count: number, cap: number): void;
  attend(
    query: number,
    keys: number,
    values: number,
    stride: number,
    first: number,
    end: number,
    size: number,
    cap: number,
    scores: number,
    to: number,
  ): void;
}

/** All kernels; see the *.as.ts files. */
export interface Kernels extends VectorKernel, AttentionKernel {
  readonly floats: FloatKernel;
  readonly bytes: ByteKernel;
}

/** Pages of 64 KiB that memories of 32-bit addresses can have. */
const MOST_PAGES = 1 << 16;

/**
 * A memory that can grow as far as the platform allows, shared by threads where that is asked for.
 * Undefined where there is no WebAssembly.
 */
export function createMemory(shared: boolean): WebAssembly.Memory | undefined {
  // Small devices refuse to reserve all addresses.
  for (let maximum = MOST_PAGES; maximum >= MOST_PAGES >> 3; maximum >>= 1) {
    try {
      return new WebAssembly.Memory({ initial: 1, maximum, shared });
    } catch {
      continue;
    }
  }
  return undefined;
}

/**
 * Starts the kernels in a memory of {@linkcode createMemory}. Undefined where the platform cannot run
 * them: no SIMD, or compilation forbidden by a content security policy.
 */
export function startKernels(memory: WebAssembly.Memory): Kernels | undefined {
  try {
    const start = (base64: string): WebAssembly.Exports => {
      const module = new WebAssembly.Module(forMemory(fromBase64(base64), memory));
      return new WebAssembly.Instance(module, { env: { memory } }).exports;
    };
    const exports = {
      ...start(ATTENTION_WASM),
      ...start(VECTORS_WASM),
      floats: start(FLOATS_WASM),
      bytes: start(BYTES_WASM),
    };
    return exports as unknown as Kernels;
  } catch {
    return undefined;
  }
}

/** `env` and `memory` with their lengths, and the kind of import that a memory is. */
const MEMORY_IMPORT = [3, ...ascii("env"), 6, ...ascii("memory"), 2];

/**
 * The module for shared memory, if the memory is. Modules say which of the two they import, and are
 * the same but for that: one bit of the limits that follow the import's name.
 */
function forMemory(
  module: Uint8Array<ArrayBuffer>,
  { buffer }: WebAssembly.Memory,
): Uint8Array<ArrayBuffer> {
  const at = module.findIndex((_, i) => MEMORY_IMPORT.every((byte, j) => module[i + j] === byte));
  if (!(buffer instanceof ArrayBuffer)) module[at + MEMORY_IMPORT.length]! |= 2;
  return module;
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}
