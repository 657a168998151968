import { assertFinite } from "../../data/finite.ts";
import type { WeightTensor } from "../../data/tensor.ts";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { RunnerOptions, TokenRunner } from "../model/token_runner.ts";
import { type ByteMatrix, packBytes } from "../weights/byte_matrix.ts";
import { swappedMatrices } from "../weights/expected_tensors.ts";
import { MissingTensors } from "../weights/missing_tensors.ts";
import { type Kernels, startKernels } from "./kernels.ts";
import { WeightStore } from "./store.ts";
import { whyUnsupported } from "./supported.ts";
import { WasmRunner } from "./wasm_runner.ts";

/** A model whose weights are in a memory of WebAssembly, ready to continue texts. */
export class WasmModel {
  readonly #model: TransformerDescription;
  readonly #store: WeightStore;
  readonly #kernels: Kernels;
  readonly #swapped: ReadonlySet<string>;
  readonly #missing: MissingTensors;
  /** Only one runner at a time has the memory behind the weights. */
  #busy = false;

  private constructor(model: TransformerDescription, store: WeightStore, kernels: Kernels) {
    this.#model = model;
    this.#store = store;
    this.#kernels = kernels;
    this.#missing = new MissingTensors(model);
    this.#swapped = swappedMatrices(model);
  }

  /**
   * A model without weights yet; undefined where the platform or the architecture is not one that these
   * kernels know.
   */
  static create(model: TransformerDescription): WasmModel | undefined {
    if (whyUnsupported(model) !== undefined) return undefined;
    const store = WeightStore.create();
    const kernels = store && startKernels(store.memory);
    return kernels && new WasmModel(model, store, kernels);
  }

  /** Names of the tensors that it does not have yet. */
  get missing(): ReadonlySet<string> {
    return this.#missing.names;
  }

  /** Bytes of the weights. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** Keeps a tensor, if the model has one of this name; throws {@linkcode InputError} if it is not finite. */
  put(name: string, tensor: WeightTensor): void {
    if (!this.#missing.take(name, tensor.shape)) return;
    assertFinite(name, tensor.data);
    if (tensor.shape.length === 1) this.#store.putVector(name, tensor.data);
    else this.#store.putMatrix(name, tensor, this.#swapped.has(name));
  }

  /** Keeps a matrix as it is coded; false if it is smaller as floats and must be put so. */
  putCoded(name: string, matrix: CodedMatrix): boolean {
    if (!this.#missing.isMatrix(name)) return false;
    const packed = packBytes(matrix, this.#swapped.has(name));
    if (packed !== undefined) this.putBytes(name, packed);
    return packed !== undefined;
  }

  /** Keeps a matrix that is packed already: that of a linear layer with a row for each output. */
  putBytes(name: string, matrix: ByteMatrix): void {
    const { rows, columns } = matrix;
    const shape = this.#swapped.has(name) ? [columns, rows] : [rows, columns];
    if (this.#missing.take(name, shape)) this.#store.putBytes(name, matrix);
  }

  /** Does nothing: the memory goes when nothing refers to it. */
  dispose(): void {}

  /**
   * Begins to read sequences. Throws {@linkcode InputError} if a tensor is missing, or the memory does
   * not suffice; an Error while another runner is at work.
   */
  async startRunner(options: RunnerOptions = {}): Promise<TokenRunner> {
    this.#missing.checkNone();
    if (this.#busy) throw new Error("this model is writing already; wait, or load it once more");
    this.#busy = true;
    const { memory, bytes, weights } = this.#store;
    const model = { description: this.#model, memory, bytes, weights, kernels: this.#kernels };
    return await WasmRunner.start(model, options, () => this.#busy = false);
  }
}
