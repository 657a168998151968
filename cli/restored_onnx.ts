import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { StateDict } from "../data/tensor.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import type { ModelConfig } from "../eval/architectures/config.ts";
import { onnxFiles } from "../eval/onnx/decompress_to_onnx.ts";
import { onnxFileNames, type OnnxWeightType } from "../eval/onnx/onnx_types.ts";
import { codedWeights } from "../hierarchy/coded_weights.ts";
import type { Container } from "../hierarchy/file/container.ts";
import { naming } from "./terminal/errors.ts";
import type { Progress } from "./terminal/phases.ts";
import type { Run } from "./terminal/run.ts";

/** What is asked for by `--onnx`: types, or what transformers.js takes without being told. */
export type OnnxChoice = readonly OnnxWeightType[] | true;

/**
 * The types to write. Without any, those that transformers.js takes by default: float32 in Node, and
 * eight bits in pages where the compressed file has integers for them.
 */
export function chooseOnnxTypes(
  asked: OnnxChoice | undefined,
  container: Container,
  run: Run,
): readonly OnnxWeightType[] {
  if (asked !== true) return asked ?? [];
  if (codedWeights(container) !== undefined) return ["f32", "q8"];
  run.writeLine("onnx: f32 alone; the levels of this file code no integers for 8 bits");
  return ["f32"];
}

/** Keys of config.json that tell transformers.js in how many files a model's data are. */
export type OnnxSettings = Readonly<Record<string, unknown>>;

/**
 * Writes a model where transformers.js looks for it, in files of at most `largestFile` bytes (2 GiB, the
 * format's limit, if omitted), and gives what its config must say: nothing, or how many files of data
 * belong to each model.
 */
export async function writeOnnx(
  folder: string,
  { container, config }: { readonly container: Container; readonly config: ModelConfig },
  weights: StateDict,
  types: readonly OnnxWeightType[],
  progress: Progress,
  { signal }: Pick<Run, "signal">,
  largestFile?: number,
): Promise<OnnxSettings> {
  const place = join(folder, "onnx");
  if (types.length > 0) await mkdir(place);
  const dataFiles: Record<string, number> = {};
  for (const [i, type] of types.entries()) {
    const name = onnxFileNames[type];
    const onProgress = (share: number) => progress((i + share) / types.length, name);
    onProgress(0);
    const options = { config, signal, onProgress, ...(largestFile && { largestFile }) };
    const files = await naming(
      container.file ?? "the model",
      () => onnxFiles(container, type, options, weights),
    );
    for (const [file, parts] of files) {
      await writeFileAtomically(join(place, file), parts, { signal });
    }
    if (files.size > 1) dataFiles[name] = files.size - 1;
  }
  if (Object.keys(dataFiles).length === 0) return {};
  return { "transformers.js_config": { use_external_data_format: dataFiles } };
}
