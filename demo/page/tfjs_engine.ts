import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import type { WeightTensor } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { useBackend } from "../../eval/compute/backend.ts";
import { generateTokens } from "../../eval/generation/generate.ts";
import { createLanguageModel } from "../../eval/generation/language_model.ts";
import type { GenerativeModel } from "../../eval/model/token_runner.ts";
import type { Engine } from "./engine.ts";
import type { EngineName } from "./messages.ts";

/**
 * Starts a model on tfjs, or on our programs for WebGPU that it is used with. Bundled as a module of
 * its own. Throws an `InputError` where the weights do not fit the config, or there is no such backend.
 */
export async function createTfjsEngine(
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
  return {
    name: backend === "webgpu" ? "WebGPU" : "WASM by tfjs",
    vocabularySize: model.description.vocabularySize,
    memoryBytes,
    generate: (prompt, options) => generateTokens(model, prompt, options),
  };
}
