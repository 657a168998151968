import type { WeightTensor } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { generateTokens } from "../../eval/generation/generate.ts";
import { WasmModel } from "../../eval/wasm/wasm_model.ts";
import { recoverIntegers } from "../../hierarchy/matrix/recover_integers.ts";
import type { Engine, EngineBuilder } from "./engine.ts";
import type { EngineName } from "./messages.ts";

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

/** Fetches what few models need, and is most of the page's code, only then. */
async function startOnTfjs(
  backend: EngineName,
  config: ModelConfig,
  weights: ReadonlyMap<string, WeightTensor>,
): Promise<Engine> {
  const module: typeof import("./tfjs_engine.ts") = await import(
    new URL("./tfjs_engine.ts", import.meta.url).href
  );
  return await firstRun(await module.createTfjsEngine(backend, config, weights));
}

/** The first run uploads the weights and compiles what is compiled. */
async function firstRun(engine: Engine): Promise<Engine> {
  for await (const _ of engine.generate(Int32Array.of(0), { temperature: 0 })) break;
  return engine;
}
