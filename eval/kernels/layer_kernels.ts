import * as tf from "@tensorflow/tfjs";
import { fromBase64 } from "../../data/base64.ts";
import { LAYERS_WASM } from "./layers_wasm.ts";
import { RELAXED_LAYERS_WASM } from "./relaxed_layers_wasm.ts";

/** What layers.as.ts and what stands before it export; addresses are byte offsets in tfjs' memory. */
export interface LayerExports {
  productScratch(): number;
  multiply(
    rows: number,
    depth: number,
    columns: number,
    a: number,
    aRowBytes: number,
    aTermBytes: number,
    b: number,
    bTermBytes: number,
    bColumnBytes: number,
    c: number,
    cRowBytes: number,
    from: number,
    fromBytes: number,
    lower: number,
    scratch: number,
  ): void;
  attentionScratch(length: number): number;
  attendAll(
    queries: number,
    queryBytes: number,
    keys: number,
    keyBytes: number,
    values: number,
    valueBytes: number,
    to: number,
    toBytes: number,
    length: number,
    size: number,
    scale: number,
    cap: number,
    causal: number,
    window: number,
    scratch: number,
  ): void;
  normalizeRows(
    rows: number,
    size: number,
    x: number,
    to: number,
    centres: number,
    epsilon: number,
    weight: number,
    offset: number,
    bias: number,
  ): void;
  rotateHeads(
    tokens: number,
    length: number,
    heads: number,
    size: number,
    half: number,
    x: number,
    to: number,
    cosines: number,
    sines: number,
    sign: number,
  ): void;
  copyHead(
    tokens: number,
    size: number,
    x: number,
    rowBytes: number,
    to: number,
    toBytes: number,
  ): void;
  activateAll(kind: number, x: number, gated: number, count: number, to: number): void;
  attendGradient(
    queries: number,
    queryBytes: number,
    keys: number,
    keyBytes: number,
    values: number,
    valueBytes: number,
    gradient: number,
    toQueries: number,
    toKeys: number,
    toValues: number,
    length: number,
    size: number,
    scale: number,
    cap: number,
    causal: number,
    window: number,
    scratch: number,
  ): void;
  normalizeGradient(
    rows: number,
    size: number,
    x: number,
    gradient: number,
    to: number,
    centres: number,
    epsilon: number,
    weight: number,
    offset: number,
  ): void;
  activateGradient(
    kind: number,
    x: number,
    gated: number,
    gradient: number,
    count: number,
    to: number,
    toGated: number,
  ): void;
  drawLoss(count: number, row: number, uniform: number, fisher: number): number;
  sumLogits(count: number, a: number, b: number, to: number): void;
}

/** The parts of tfjs' WebAssembly backend that kernels in its memory need. */
interface WasmBackend {
  readonly wasm: {
    /** What the module exports; its memory is among it. */
    readonly asm?: { readonly memory?: WebAssembly.Memory };
    readonly _malloc?: (bytes: number) => number;
    readonly _free?: (at: number) => void;
  };
  getMemoryOffset(dataId: tf.DataId): number;
  makeOutput(shape: number[], type: "float32"): tf.TensorInfo;
}

/**
 * Kernels of our own that work on tensors where they are, in the memory of tfjs' WebAssembly backend.
 */
export class LayerKernels {
  readonly run: LayerExports;
  readonly #backend: WasmBackend;
  readonly #memory: WebAssembly.Memory;
  #scratch = { at: 0, bytes: 0 };

  private constructor(run: LayerExports, backend: WasmBackend, memory: WebAssembly.Memory) {
    this.run = run;
    this.#backend = backend;
    this.#memory = memory;
  }

  /**
   * Kernels that round products `alike` on every machine, or only once where that is faster. Undefined
   * where tfjs does not let others into its memory, or there is no SIMD.
   */
  static start(backend: WasmBackend, alike: boolean): LayerKernels | undefined {
    const { asm, _malloc, _free } = backend.wasm;
    const memory = asm?.memory;
    if (memory === undefined || _malloc === undefined || _free === undefined) return undefined;
    for (const code of alike ? [LAYERS_WASM] : [RELAXED_LAYERS_WASM, LAYERS_WASM]) {
      try {
        const module = new WebAssembly.Module(fromBase64(code));
        const { exports } = new WebAssembly.Instance(module, { env: { memory } });
        return new LayerKernels(exports as unknown as LayerExports, backend, memory);
      } catch {
        // An engine without relaxed SIMD, or without any.
        continue;
      }
    }
    return undefined;
  }

  /** Where a tensor's values are. */
  at(x: tf.Tensor): number {
    return this.#backend.getMemoryOffset(x.dataId) >>> 0;
  }

  /** A tensor whose values are not set yet. */
  allocate(rows: number, columns: number): tf.Tensor2D {
    const made = this.#backend.makeOutput([rows, columns], "float32");
    return tf.engine().makeTensorFromTensorInfo(made) as tf.Tensor2D;
  }

  /** A tensor of zeros. */
  zeros(rows: number, columns: number): tf.Tensor2D {
    const made = this.allocate(rows, columns);
    new Float32Array(this.#memory.buffer, this.at(made), rows * columns).fill(0);
    return made;
  }

  /** At least so many bytes, aligned to vectors, until the next call. */
  scratch(bytes: number): number {
    if (this.#scratch.bytes < bytes) {
      const { _malloc, _free } = this.#backend.wasm;
      if (this.#scratch.bytes > 0) _free!(this.#scratch.at);
      this.#scratch = { at: _malloc!(bytes + 16) >>> 0, bytes };
    }
    return Math.ceil(this.#scratch.at / 16) * 16;
  }

  /** The float32 value at a place. */
  float(at: number): number {
    return new Float32Array(this.#memory.buffer, at, 1)[0]!;
  }

  /** Float64 values of the memory, as long as it does not grow. */
  doubles(at: number, count: number): Float64Array {
    return new Float64Array(this.#memory.buffer, at, count);
  }
}

const started = new WeakMap<object, LayerKernels | false>();
let roundsAlike = false;

/**
 * Has all kernels of this thread round alike on every machine, as what decides the bytes of a file
 * must. To be called before anything is computed.
 */
export function roundAlike(): void {
  roundsAlike = true;
}

/** The kernels for tensors of tfjs' current backend; undefined where it is not one that they know. */
export function layerKernels(): LayerKernels | undefined {
  if (tf.getBackend() !== "wasm") return undefined;
  const backend = tf.backend();
  let kernels = started.get(backend);
  if (kernels === undefined) {
    kernels = startKernels(roundsAlike) ?? false;
    started.set(backend, kernels);
  }
  return kernels || undefined;
}

/** As {@linkcode LayerKernels.start}, for tfjs' current backend, which is `wasm`. */
export function startKernels(alike: boolean): LayerKernels | undefined {
  return LayerKernels.start(tf.backend() as unknown as WasmBackend, alike);
}
