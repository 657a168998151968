import * as tf from "@tensorflow/tfjs";
import type { Tensor2D, Tensor3D } from "../../kan/numeric/tensor_types.ts";
import { InputError } from "../../data/input_error.ts";
import { elementCount, type StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import { checkTensors, expectedTensors } from "../weights/expected_tensors.ts";
import { applyHead, type ForwardOptions, hiddenStates } from "../model/forward.ts";
import type { KeyValueCache } from "../layers/key_value_cache.ts";
import { checkResidentMemory } from "../scoring/memory_plan.ts";
import { ParameterStore } from "../weights/parameter_store.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import type { Checkpoint } from "../weights/model_tensors.ts";
import type { GenerativeModel, RunnerOptions, TokenRunner } from "../model/token_runner.ts";
import { WasmModel } from "../wasm/wasm_model.ts";
import { TfjsRunner } from "./tfjs_runner.ts";
import { readStateDict } from "../weights/read_state_dict.ts";
import { DeviceModel } from "../webgpu/device_model.ts";

/** A language model with its weights, ready to run on the current tfjs backend. */
export class LanguageModel implements GenerativeModel {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /**
   * What the config says, as the forward pass reads it.
   *
   * @internal
   */
  readonly description: TransformerDescription;
  #weights: StateDict;
  #parameters: ParameterStore;
  /** The weights once more, for the kernels that continue texts. */
  #wasm: WasmModel | undefined;
  /** Whether it is known that the weights fit into the backend's heap. */
  #fits = false;
  /** The model on the graphics card, once it writes there; undefined where our programs cannot. */
  #onDevice: Promise<DeviceModel | undefined> | undefined;

  /** Use {@linkcode createLanguageModel}. */
  constructor(config: ModelConfig, weights: StateDict) {
    this.config = config;
    this.description = describeModel(config, weights.keys());
    this.#weights = weights;
    this.#parameters = this.#prepare(weights);
  }

  /** Number of parameters; a tied tensor counts once, buffers do not count. */
  numParameters(): number {
    let total = 0;
    for (const shape of expectedTensors(this.description).values()) total += elementCount(shape);
    return total;
  }

  /** The weights by their checkpoint names, without buffers; shares memory with the model. */
  stateDict(): StateDict {
    const expected = expectedTensors(this.description);
    return new Map([...this.#weights].filter(([name]) => expected.has(name)));
  }

  /** Replaces the weights; throws {@linkcode InputError} if names or shapes do not fit. */
  loadStateDict(weights: StateDict): void {
    const parameters = this.#prepare(weights);
    this.dispose();
    this.#parameters = parameters;
    this.#weights = weights;
  }

  /**
   * Logits `[batch, length, vocabularySize]` of `batch` sequences of equal length, one after
   * another in `ids`; of a classifier, `[batch, 1, classes]`. The caller disposes of the result.
   */
  logits(ids: Int32Array, batch = 1, options: ForwardOptions = {}): Tensor3D {
    const hidden = this.hiddenStates(ids, batch, options);
    return tf.tidy(() => {
      const logits = applyHead(this.description, this.#parameters, hidden, options.tap);
      hidden.dispose();
      const [rows, outputs] = logits.shape;
      return tf.reshape(logits, [batch, rows / batch, outputs]);
    });
  }

  /**
   * The rows that the head is applied to, `[batch * length, hiddenSize]`, or `[batch, hiddenSize]`
   * of a classifier; the caller disposes.
   *
   * @internal
   */
  hiddenStates(ids: Int32Array, batch = 1, options: ForwardOptions = {}): Tensor2D {
    this.#checkIds(ids, batch, options.cache?.length ?? 0);
    if (!this.#fits && tf.getBackend() === "wasm") {
      checkResidentMemory(this.description, "choose a smaller model");
    }
    this.#fits = true;
    return hiddenStates(this.description, this.#parameters, ids, batch, options);
  }

  /**
   * Logits `[rows, vocabularySize]` of rows of {@linkcode LanguageModel.hiddenStates}.
   *
   * @internal
   */
  head(hidden: Tensor2D): Tensor2D {
    return applyHead(this.description, this.#parameters, hidden);
  }

  /**
   * Begins to read sequences: with programs of our own where the backend is `wasm` or `webgpu` and they
   * know the model, else with tfjs.
   *
   * @internal
   */
  async startRunner(options?: RunnerOptions): Promise<TokenRunner> {
    if (tf.getBackend() === "wasm") {
      this.#wasm ??= this.#toWasm();
      if (this.#wasm !== undefined) return await this.#wasm.startRunner(options);
    }
    if (tf.getBackend() === "webgpu") {
      this.#onDevice ??= DeviceModel.open(
        this.description,
        prepareWeights(this.description, this.#weights, false),
      );
      const model = await this.#onDevice;
      if (model !== undefined) return model.startRunner();
    }
    const passes = {
      layers: this.description.layers.length,
      hiddenStates: (ids: Int32Array, sequences: number, cache: KeyValueCache) =>
        this.hiddenStates(ids, sequences, { cache }),
      head: (hidden: Tensor2D) => this.head(hidden),
    };
    return new TfjsRunner(passes);
  }

  /** Frees the tensors on the backend; the model can still be used and makes them again. */
  dispose(): void {
    this.#parameters.dispose();
    this.#wasm = undefined;
    this.#onDevice?.then((model) => model?.dispose(), () => {});
    this.#onDevice = undefined;
  }

  #prepare(weights: StateDict): ParameterStore {
    checkTensors(
      this.config,
      this.description,
      Array.from(weights, ([name, { shape }]) => ({ name, shape })),
    );
    return new ParameterStore(prepareWeights(this.description, weights, false), true);
  }

  #toWasm(): WasmModel | undefined {
    const model = WasmModel.create(this.description);
    for (const name of model?.missing ?? []) model!.put(name, this.#weights.get(name)!);
    return model;
  }

  #checkIds(ids: Int32Array, batch: number, past: number): void {
    const { vocabularySize, contextLength } = this.description;
    if (ids.length === 0 || ids.length % batch !== 0) {
      throw new InputError(`${ids.length} token ids cannot be split into ${batch} sequences`);
    }
    if (past + ids.length / batch > contextLength) {
      throw new InputError(
        `${past + ids.length / batch} tokens are more than the model's context of ${contextLength}`,
      );
    }
    checkTokenIds(ids, vocabularySize);
  }
}

/**
 * A model from its config and weights. Throws {@linkcode InputError} if the architecture is
 * unknown, or where a tensor is missing, has the wrong shape or holds NaN or infinite values.
 *
 * ```ts
 * import { createLanguageModel, useBackend } from "@kanpress/kanpress/eval";
 * import { InputError } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * await useBackend("cpu");
 * assert.throws(() => createLanguageModel({ model_type: "rnn" }, new Map()), InputError);
 * ```
 */
export function createLanguageModel(config: ModelConfig, weights: StateDict): LanguageModel {
  return new LanguageModel(config, weights);
}

/** Reads a model's weights (its buffers left out) and creates it. */
export async function loadLanguageModel(source: Checkpoint): Promise<LanguageModel> {
  return createLanguageModel(source.config, await readStateDict(source));
}
