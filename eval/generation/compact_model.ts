import type { WeightSource } from "../../data/tensor.ts";
import { type CodedWeights, codedWeights } from "../../hierarchy/coded_weights.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import type { Container } from "../../hierarchy/file/container.ts";
import { decodesApart } from "../../hierarchy/file/decode_groups.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { GenerativeModel, RunnerOptions, TokenRunner } from "../model/token_runner.ts";
import { type Checkpoint, modelTensors } from "../weights/model_tensors.ts";
import { WasmModel } from "../wasm/wasm_model.ts";
import { CodedDeviceModel } from "../webgpu/coded_device_model.ts";

/** What holds a model's weights, which come one after another, and runs it. */
interface Holder extends Pick<WasmModel, "missing" | "put" | "putCoded" | "bytes"> {
  startRunner(options?: RunnerOptions): Promise<TokenRunner>;
  dispose(): void;
}

/** How a {@linkcode CompactModel} is loaded. */
export interface CompactModelOptions {
  /** Called with the share of the tensors that are there, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** What it computes with: WebAssembly, or the graphics card; `wasm` if omitted. */
  readonly backend?: "wasm" | "webgpu";
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * A model that only writes, with weights as small as they can exactly be: the integers of a compressed
 * file, or the 16 bits of a checkpoint. It is read a tensor at a time and computes without tfjs.
 */
export class CompactModel implements GenerativeModel {
  readonly config: ModelConfig;
  readonly description: TransformerDescription;
  #model: Holder | undefined;

  private constructor(config: ModelConfig, description: TransformerDescription, model: Holder) {
    this.config = config;
    this.description = description;
    this.#model = model;
  }

  /**
   * Reads a checkpoint. Undefined where the platform or the architecture is not one that our kernels or
   * programs know; throws {@linkcode InputError} where tensors are missing, damaged or not finite, or
   * there is no graphics card for `webgpu`.
   */
  static async load(
    { config, weights }: Checkpoint,
    options: CompactModelOptions = {},
  ): Promise<CompactModel | undefined> {
    const tensors = await modelTensors({ config, weights });
    return await CompactModel.#read(
      config,
      { tensors, read: (name) => weights.read(name) },
      undefined,
      options,
    );
  }

  /** Reads a compressed model, as its integers where it consists of such; otherwise as `load` does. */
  static async loadCompressed(
    container: Container,
    config: ModelConfig,
    options: CompactModelOptions = {},
  ): Promise<CompactModel | undefined> {
    if (!decodesApart(container)) return undefined;
    const { tensors } = container;
    const { read } = containerWeights(container, options);
    return await CompactModel.#read(
      config,
      { tensors, read },
      codedWeights(container, options),
      options,
    );
  }

  static async #read(
    config: ModelConfig,
    { tensors, read }: WeightSource,
    coded: CodedWeights | undefined,
    { onProgress, signal, backend = "wasm" }: CompactModelOptions,
  ): Promise<CompactModel | undefined> {
    const description = describeModel(config, tensors.map(({ name }) => name));
    const model: Holder | undefined = backend === "wasm"
      ? WasmModel.create(description)
      : await CodedDeviceModel.create(description);
    if (model === undefined) return undefined;
    const names = model.missing;
    let done = 0;
    try {
      for (const name of names) {
        signal?.throwIfAborted();
        const isCoded = coded?.names.has(name) === true &&
          model.putCoded(name, await coded.read(name));
        if (!isCoded) model.put(name, await read(name));
        onProgress?.(++done / names.size);
      }
      if (model instanceof CodedDeviceModel) {
        await model.send();
        model.release();
      }
    } catch (error) {
      model.dispose();
      throw error;
    }
    return new CompactModel(config, description, model);
  }

  /** Bytes of its weights. */
  get weightBytes(): number {
    return this.#model?.bytes ?? 0;
  }

  async startRunner(options?: RunnerOptions): Promise<TokenRunner> {
    if (this.#model === undefined) throw new Error("the model was disposed of");
    return await this.#model.startRunner(options);
  }

  /** Lets go of its weights. */
  dispose(): void {
    this.#model?.dispose();
    this.#model = undefined;
  }
}
