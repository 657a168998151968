import { basename } from "node:path";
import { assertFiniteTensor } from "../../data/finite.ts";
import { type HubOptions, type ModelSource, openModel, type StateDict } from "../../data/mod.ts";
import { shownUrl } from "../../data/shown_url.ts";
import { checkTensors } from "../../eval/weights/expected_tensors.ts";
import { checkLayerMemory } from "../../eval/scoring/memory_plan.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { readStateDict } from "../../eval/weights/read_state_dict.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { formatBytes } from "../../eval/report/number_text.ts";
import { bytesOfKept, modelTensors } from "../../eval/weights/model_tensors.ts";
import { naming } from "../terminal/errors.ts";
import type { Progress } from "../terminal/phases.ts";
import type { Run } from "../terminal/run.ts";

/** Opens a model, the embedded one without a name, and shows how far a download is. */
export async function openNamedModel(
  name: string | undefined,
  run: Run,
): Promise<ModelSource> {
  return await run.phase(
    "open",
    (progress) => openModel(name, downloadOptions(run, progress)),
  );
}

/** Options of a download that say what is fetched, and show how far it is. */
export function downloadOptions(
  run: Run,
  progress: Progress,
): HubOptions {
  return {
    signal: run.signal,
    onFetch({ files, bytes, from }) {
      run.writeLine(`fetching ${files.join(", ")} (${formatBytes(bytes)}) from ${shownUrl(from)}`);
    },
    onProgress: ({ file, bytes, totalBytes }) => progress(bytes / totalBytes, file),
  };
}

/**
 * Checks that a model can be run, by its config, the names and shapes of its tensors and the size of
 * its layers, before any tensor is read; gives its description.
 */
export function checkModel(model: ModelSource): TransformerDescription {
  const { tensors } = model.weights;
  return naming(model.name, () => {
    const description = describeModel(model.config, tensors.map(({ name }) => name));
    checkTensors(model.config, description, tensors);
    checkLayerMemory(description);
    return description;
  });
}

/**
 * Reads a model's weights, held as they are stored, in memory or in files of a `folder`, and checks
 * that they are finite.
 */
export async function readFiniteWeights(model: ModelSource, folder?: string): Promise<StateDict> {
  const weights = await readStateDict(model, {
    asStored: true,
    ...(folder !== undefined && { folder }),
  });
  for (const [name, tensor] of weights) {
    assertFiniteTensor(name, tensor, model.name);
  }
  return weights;
}

/** Whether a model comes with a tokenizer. */
export function hasTokenizer({ companions }: ModelSource): boolean {
  return companions.some(({ name }) => basename(name) === "tokenizer.json");
}

/**
 * Bytes of a model's weight files without what the model does not need: masks and other buffers of
 * old checkpoints, and a head that is the embedding once more.
 */
export async function neededBytes(model: ModelSource): Promise<number> {
  const needed = await naming(model.name, () => modelTensors(model));
  return bytesOfKept(model.originalBytes, model.weights.tensors, needed);
}
