import { existsSync } from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { InputError, openFile, openModel, type StateDict } from "../../../data/mod.ts";
import { ggufArchitectures } from "../../../data/gguf/architectures.ts";
import { isReadable } from "../../../data/gguf/dequantize.ts";
import { readGgufHeader } from "../../../data/gguf/header.ts";
import { ggufName } from "../../../data/gguf/tensor_names.ts";
import { readStateDict } from "../../../eval/mod.ts";
import { calibrateModel, planCalibration } from "../../../cli/compress/calibration.ts";
import type { Run } from "../../../cli/terminal/run.ts";
import { resetPeakMemory, residentMemory } from "../resident_memory.ts";
import type { Candidate } from "./candidate.ts";
import { inputMeanSquares, readMeanSquares, writeMeanSquares } from "./importance_matrix.ts";
import { type LlamaLibrary, openLlamaLibrary } from "./llama_library.ts";
import { expandWithLlama, type ImportanceMatrix, quantizeWithLlama } from "./llama_quantize.ts";
import type { OpenedModel } from "./opened_model.ts";
import type { RealModelsOptions } from "./options.ts";
import type { FileResult } from "./results_file.ts";
import { writeFloatGguf } from "./float_gguf.ts";

/**
 * llama.cpp's own quantizations of the model to types such as `Q4_K_M`, with an importance matrix of
 * the text that kanpress calibrates on. What they predict is computed by our code from the files that
 * llama.cpp wrote.
 */
export async function llamaCandidates(
  model: OpenedModel,
  { types, llamaCpp }: Pick<RealModelsOptions, "types" | "llamaCpp">,
  run: Run,
): Promise<Candidate[]> {
  if (types.length === 0) return [];
  const architecture = model.source.config["model_type"];
  if (!ggufArchitectures.some(({ modelType }) => modelType === architecture)) {
    throw new InputError(
      `${model.source.name}: llama.cpp has no ${architecture} models; add --types none`,
    );
  }
  const library = await openLlamaLibrary(llamaCpp);
  return types.map((type) => llamaCandidate(model, type, library, run));
}

function llamaCandidate(
  model: OpenedModel,
  type: string,
  library: LlamaLibrary,
  run: Run,
): Candidate {
  const { folder, calibration: { threads } } = model;
  const file = join(folder, `llama.cpp-${type}.gguf`);
  return {
    method: `llama.cpp ${type}`,
    file,
    async make() {
      const original = await floatGguf(model, run);
      const importance = await importanceMatrix(model, run);
      resetPeakMemory();
      const start = performance.now();
      await run.phase(
        "quantize",
        (onProgress) =>
          quantizeWithLlama(library, original, file, { type, importance, threads, onProgress }),
      );
      const seconds = (performance.now() - start) / 1000;
      return { ...await sizes(file), seconds, peak: residentMemory(Deno.pid, "VmHWM") };
    },
    read: () => readWeights(file, library, threads),
  };
}

/** The model as a GGUF file of floats, which llama.cpp quantizes. */
async function floatGguf(model: OpenedModel, run: Run): Promise<string> {
  const file = join(model.folder, "original.gguf");
  if (!existsSync(file)) {
    await writeFloatGguf(model.source, file, run);
  }
  return file;
}

/** What `llama-imatrix` computes, of the very tokens that kanpress calibrates on. */
async function importanceMatrix(
  model: OpenedModel,
  run: Run,
): Promise<ImportanceMatrix> {
  const { source: { config }, weights, description, calibration, folder, results } = model;
  const { key, settings } = await planCalibration(model, calibration);
  const path = join(folder, "importance.safetensors");
  let squares = await readMeanSquares(path, key);
  if (squares === undefined) {
    const { tokens } = await calibrateModel(model, calibration, run);
    const start = performance.now();
    const { threads, backend } = calibration;
    squares = await run.phase("importance matrix", (onProgress) => {
      const options = { config, weights, tokens, ...settings, threads, backend, onProgress };
      return inputMeanSquares({ ...options, signal: run.signal }, description.head.weight);
    });
    const seconds = (performance.now() - start) / 1000;
    await results.add({ kind: "calibration", what: "llama.cpp", seconds });
    await writeMeanSquares(path, key, squares);
  }
  const architecture = ggufArchitectures.find(({ modelType }) =>
    modelType === config["model_type"]
  )!;
  return new Map(Array.from(squares, ([name, values]) => {
    return [ggufName(architecture, name)!.name, values];
  }));
}

/** Metadata and vocabulary do not count: kanpress' files have neither. */
async function sizes(path: string): Promise<Omit<FileResult, "seconds" | "peak">> {
  const source = await openFile(path);
  const { tensors } = await readGgufHeader(source);
  const sum = (isCounted: (name: string) => boolean) =>
    tensors.filter(({ name, shape }) => shape.length === 2 && isCounted(name))
      .reduce((bytes, { start, end }) => bytes + end - start, 0);
  const all = tensors.reduce((bytes, { start, end }) => bytes + end - start, 0);
  const linear = sum((name) => name.startsWith("blk."));
  return { program: "llama.cpp", bytes: source.byteLength, counted: all, linear };
}

/** Reads a file's weights; what we do not read is expanded by llama.cpp first. */
async function readWeights(
  file: string,
  library: LlamaLibrary,
  threads: number,
): Promise<StateDict> {
  const { tensors } = await readGgufHeader(await openFile(file));
  if (tensors.every(({ type }) => isReadable(type))) {
    return await readStateDict(await openModel(file));
  }
  const expanded = `${file}.f32.gguf`;
  try {
    await expandWithLlama(library, file, expanded, threads);
    return await readStateDict(await openModel(expanded));
  } finally {
    if (existsSync(expanded)) await unlink(expanded);
  }
}
