import { assertFinite } from "../../data/finite.ts";
import { InputError } from "../../data/input_error.ts";
import { quote } from "../../data/quote.ts";
import type { WeightTensor } from "../../data/tensor.ts";
import type { CodedMatrix } from "../../hierarchy/matrix/coded_matrix.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { RunnerOptions, TokenRunner } from "../model/token_runner.ts";
import { expectedTensors, modelLinears } from "../weights/expected_tensors.ts";
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
  readonly #missing: Map<string, readonly number[]>;
  /** Only one runner at a time has the memory behind the weights. */
  #busy = false;

  private constructor(model: TransformerDescription, store: WeightStore, kernels: Kernels) {
    this.#model = model;
    this.#store = store;
    this.#kernels = kernels;
    this.#missing = expectedTensors(model);
    this.#swapped = new Set(
      modelLinears(model).filter(({ layout }) => layout === "inputsByOutputs")
        .map(({ weight }) => weight),
    );
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
    return new Set(this.#missing.keys());
  }

  /** Bytes of the weights. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** Keeps a tensor, if the model has one of this name; throws {@linkcode InputError} if it is not finite. */
  put(name: string, tensor: WeightTensor): void {
    if (!this.#take(name, tensor.shape)) return;
    assertFinite(name, tensor.data);
    if (tensor.shape.length === 1) this.#store.putVector(name, tensor.data);
    else this.#store.putMatrix(name, tensor, this.#swapped.has(name));
  }

  /** Keeps a matrix as it is coded; false if it is smaller as floats and must be put so. */
  putCoded(name: string, matrix: CodedMatrix): boolean {
    const { rows, columns } = matrix.integers;
    const shape = this.#missing.get(name);
    if (shape?.length !== 2) return false;
    if (!this.#store.putCoded(name, matrix, this.#swapped.has(name))) return false;
    return this.#take(name, [rows, columns]);
  }

  /**
   * Begins to read sequences. Throws {@linkcode InputError} if a tensor is missing, or the memory does
   * not suffice; an Error while another runner is at work.
   */
  async startRunner(options: RunnerOptions = {}): Promise<TokenRunner> {
    const [missing] = this.#missing.keys();
    if (missing !== undefined) throw new InputError(`tensor ${quote(missing)} is missing`);
    if (this.#busy) throw new Error("this model is writing already; wait, or load it once more");
    this.#busy = true;
    const { memory, bytes, weights } = this.#store;
    const model = { description: this.#model, memory, bytes, weights, kernels: this.#kernels };
    return await WasmRunner.start(model, options, () => this.#busy = false);
  }

  #take(name: string, shape: readonly number[]): boolean {
    const expected = this.#missing.get(name);
    if (expected === undefined) return false;
    if (expected.join() !== shape.join()) {
      throw new InputError(
        `tensor ${quote(name)} has shape [${shape.join(", ")}], expected [${expected.join(", ")}]`,
      );
    }
    return this.#missing.delete(name);
  }
}
