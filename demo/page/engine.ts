import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import type { WeightTensor } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { generateTokens, type GenerationOptions } from "../../eval/generation/generate.ts";
import { createLanguageModel } from "../../eval/generation/language_model.ts";
import type { GenerativeModel } from "../../eval/model/token_runner.ts";
import { WasmModel } from "../../eval/wasm/wasm_model.ts";
import type { RowColumnFactors } from "../../hierarchy/matrix/coded_matrix.ts";
import { recoverIntegers } from "../../hierarchy/matrix/recover_integers.ts";
import type { EngineName } from "./messages.ts";

/** What writes: a model, ready to go on with token ids. The page knows no more of what computes. */
export interface Engine {
  /** Where it computes, for people, such as `WASM`. */
  readonly name: string;
  /** Why it does not compute where it was asked to; absent where it does. */
  readonly note?: string;
  /** Tokens that the model knows. */
  readonly vocabularySize: number;
  /** Bytes of the weights that it holds. */
  readonly memoryBytes: number;
  /** Continues a prompt token by token, without end or up to one that ends texts. */
  generate(prompt: Int32Array, options: GenerationOptions): AsyncIterable<number>;
}

/** Takes a model's weights as they are decoded, and starts it. */
export interface EngineBuilder {
  /** Takes a tensor, and the factors of the whole numbers that it is coded as, if it is. */
  put(name: string, tensor: WeightTensor, factors?: RowColumnFactors): void;
  /**
   * Starts the model, once all tensors are there: throws an `InputError` where its weights do not fit
   * it. Where WebGPU fails, WASM takes its place and says so.
   */
  start(): Promise<Engine>;
}

/**
 * Begins a model of this config with tensors of these names. Throws an `InputError` where it is of no
 * architecture that runs. Our kernels keep whole numbers as they are coded, about a byte each; what
 * they do not know runs on tfjs, from floats.
 */
export function buildEngine(
  config: ModelConfig,
  names: Iterable<string>,
  wanted: EngineName,
): EngineBuilder {
  const description = describeModel(config, names);
  const model = wanted === "wasm" ? WasmModel.create(description) : undefined;
  return model === undefined ? fromFloats(config, wanted) : fromIntegers(config, model);

  function fromIntegers(config: ModelConfig, model: WasmModel): EngineBuilder {
    return {
      put(name, tensor, factors) {
        const coded = factors && recoverIntegers(name, tensor, factors);
        if (coded === undefined || !model.putCoded(name, coded)) model.put(name, tensor);
      },
      async start() {
        const startRunner = model.startRunner.bind(model);
        const generative = { config, description, startRunner };
        return await firstRun({
          name: "WASM",
          vocabularySize: description.vocabularySize,
          memoryBytes: model.bytes,
          generate: (prompt, options) => generateTokens(generative, prompt, options),
        });
      },
    };
  }
}

function fromFloats(config: ModelConfig, wanted: EngineName): EngineBuilder {
  const weights = new Map<string, WeightTensor>();
  return {
    put: (name, tensor) => void weights.set(name, tensor),
    async start() {
      if (wanted === "wasm") return await startOnTfjs("wasm", config, weights);
      try {
        return await startOnTfjs("webgpu", config, weights);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        const engine = buildEngine(config, weights.keys(), "wasm");
        for (const [name, tensor] of weights) engine.put(name, tensor);
        return { ...await engine.start(), note: `WebGPU failed: ${reason}` };
      }
    },
  };
}

async function startOnTfjs(
  backend: EngineName,
  config: ModelConfig,
  weights: ReadonlyMap<string, WeightTensor>,
): Promise<Engine> {
  setWasmPaths(new URL("wasm/", self.location.href).href);
  // Its threads are made of text, which the page's rules forbid; ours are not.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await useBackend(backend);
  const model: GenerativeModel = createLanguageModel(config, weights);
  const arrays = [...new Set(Array.from(weights.values(), ({ data }) => data))];
  // They are here, and once more where they are computed with.
  const memoryBytes = 2 * arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return await firstRun({
    name: backend === "webgpu" ? "WebGPU" : "WASM by tfjs",
    vocabularySize: model.description.vocabularySize,
    memoryBytes,
    generate: (prompt, options) => generateTokens(model, prompt, options),
  });
}

/** The first run uploads the weights and compiles what is compiled. */
async function firstRun(engine: Engine): Promise<Engine> {
  for await (const _ of engine.generate(Int32Array.of(0), { temperature: 0 })) break;
  return engine;
}
