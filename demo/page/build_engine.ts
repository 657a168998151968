import type { WeightTensor } from "../../data/tensor.ts";
import type { ModelConfig } from "../../eval/architectures/config.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { generateTokens } from "../../eval/generation/generate.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { WasmModel } from "../../eval/wasm/wasm_model.ts";
import { CodedDeviceModel } from "../../eval/webgpu/coded_device_model.ts";
import { recoverIntegers } from "../../hierarchy/matrix/recover_integers.ts";
import type { Engine, EngineBuilder } from "./engine.ts";
import type { EngineName } from "./messages.ts";

/**
 * Begins a model of this config with tensors of these names. Throws an `InputError` where it is of no
 * architecture that runs. Our kernels, and our programs on WebGPU, keep whole numbers as they are coded,
 * about a byte each; what they do not know runs on tfjs, from floats.
 */
export async function buildEngine(
  config: ModelConfig,
  names: Iterable<string>,
  wanted: EngineName,
): Promise<EngineBuilder> {
  const all = [...names];
  const description = describeModel(config, all);
  if (wanted === "wasm") {
    const model = WasmModel.create(description);
    return model === undefined ? fromFloats(config, wanted) : onWasm(config, description, model);
  }
  try {
    const model = await CodedDeviceModel.create(description);
    return model === undefined ? fromFloats(config, wanted) : onWebGpu(config, description, model);
  } catch (error) {
    const builder = await buildEngine(config, all, "wasm");
    return { ...builder, start: async () => ({ ...await builder.start(), note: failure(error) }) };
  }
}

/** What takes tensors, as whole numbers where it can. */
type Holder = Pick<WasmModel, "put" | "putCoded" | "bytes" | "startRunner">;

function taking(model: Holder): EngineBuilder["put"] {
  return (name, tensor, factors) => {
    const coded = factors && recoverIntegers(name, tensor, factors);
    if (coded === undefined || !model.putCoded(name, coded)) model.put(name, tensor);
  };
}

async function startOn(
  name: string,
  config: ModelConfig,
  description: TransformerDescription,
  model: Holder,
): Promise<Engine> {
  const startRunner = model.startRunner.bind(model);
  const generative = { config, description, startRunner };
  const engine: Engine = {
    name,
    vocabularySize: description.vocabularySize,
    memoryBytes: 0,
    generate: (prompt, options) => generateTokens(generative, prompt, options),
  };
  await firstRun(engine);
  return { ...engine, memoryBytes: model.bytes };
}

function onWasm(
  config: ModelConfig,
  description: TransformerDescription,
  model: WasmModel,
): EngineBuilder {
  return { put: taking(model), start: () => startOn("WASM", config, description, model) };
}

function onWebGpu(
  config: ModelConfig,
  description: TransformerDescription,
  model: CodedDeviceModel,
): EngineBuilder {
  return {
    put: taking(model),
    async start() {
      try {
        const engine = await startOn("WebGPU", config, description, model);
        model.release();
        return engine;
      } catch (error) {
        const wasm = WasmModel.create(description);
        if (wasm === undefined || model.missing.size > 0) throw error;
        for (const [name, tensor] of model.weights) {
          const { shape, coded } = tensor;
          if (coded !== undefined) wasm.putBytes(name, coded.matrix);
          else wasm.put(name, { dtype: "F32", shape, data: tensor.data });
        }
        model.dispose();
        return { ...await startOn("WASM", config, description, wasm), note: failure(error) };
      }
    },
  };
}

/** Why WebGPU is not what computes. */
function failure(error: unknown): string {
  return `WebGPU failed: ${error instanceof Error ? error.message : String(error)}`;
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
        const engine = await buildEngine(config, weights.keys(), "wasm");
        for (const [name, tensor] of weights) engine.put(name, tensor);
        return { ...await engine.start(), note: failure(error) };
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
