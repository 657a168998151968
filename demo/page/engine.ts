import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { generateTokens, type GenerationOptions } from "../../eval/generation/generate.ts";
import { createLanguageModel } from "../../eval/generation/language_model.ts";
import type { EngineName } from "./messages.ts";

/** What writes: a model, ready to go on with token ids. The page knows no more of what computes. */
export interface Engine {
  /** Where it computes, for people, such as `WASM`. */
  readonly name: string;
  /** Why it does not compute where it was asked to; absent where it does. */
  readonly note?: string;
  /** Tokens that the model knows. */
  readonly vocabularySize: number;
  /** Bytes that it holds now, weights and all. */
  memoryBytes(): number;
  /** Continues a prompt token by token, without end or up to one that ends texts. */
  generate(prompt: Int32Array, options: GenerationOptions): AsyncIterable<number>;
}

/**
 * Starts a model: throws an `InputError` where it is of no architecture that runs, or its weights do
 * not fit it. Where WebGPU fails, WASM takes its place and says so.
 */
export async function startEngine(
  config: ModelConfig,
  weights: StateDict,
  wanted: EngineName,
): Promise<Engine> {
  if (wanted === "webgpu") {
    try {
      return await startOn("webgpu", config, weights);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { ...await startOn("wasm", config, weights), note: `WebGPU failed: ${reason}` };
    }
  }
  return await startOn("wasm", config, weights);
}

async function startOn(
  backend: EngineName,
  config: ModelConfig,
  weights: StateDict,
): Promise<Engine> {
  setWasmPaths(new URL("wasm/", self.location.href).href);
  // Its threads are made of text, which the page's rules forbid; ours are not.
  tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
  await useBackend(backend);
  const model = createLanguageModel(config, weights);
  const generate = (prompt: Int32Array, options: GenerationOptions) =>
    generateTokens(model, prompt, options);
  // The first run uploads the weights and compiles what the backend compiles.
  for await (const _ of generate(Int32Array.of(0), { temperature: 0 })) break;
  const arrays = [...new Set(Array.from(weights.values(), ({ data }) => data))];
  const weightBytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  return {
    name: backend === "webgpu" ? "WebGPU" : "WASM",
    vocabularySize: model.description.vocabularySize,
    memoryBytes: () => weightBytes + tf.memory().numBytes,
    generate,
  };
}
