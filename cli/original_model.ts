import { existsSync } from "node:fs";
import { assertFinite, type ModelSource, openModel, type StateDict } from "../data/mod.ts";
import { checkTensors } from "../eval/expected_tensors.ts";
import { checkLayerMemory } from "../eval/memory_plan.ts";
import { describeModel, readStateDict, type TransformerDescription } from "../eval/mod.ts";
import { naming } from "./errors.ts";
import type { Phases } from "./phases.ts";

/** Before the name of a hub model where a compressed file records what it was made from. */
const HUB_PREFIX = "hf://";

/** Opens a model, the embedded one without a name, and shows how far a download is. */
export async function openNamedModel(
  name: string | undefined,
  phases: Phases,
  signal: AbortSignal,
): Promise<ModelSource> {
  return await phases.run("open", (report) =>
    openModel(name, {
      signal,
      onProgress: ({ file, bytes, totalBytes }) => report(bytes / totalBytes, file),
    }));
}

/** Whether what was given names a model by its path, not the embedded one or one of the hub. */
export function isLocalPath(given: string | undefined): boolean {
  return given !== undefined && existsSync(given);
}

/** What a compressed file records of its original: the path or the hub name that was given. */
export function recordedName(given: string | undefined, model: ModelSource): string {
  const isHub = given !== undefined && !isLocalPath(given);
  return isHub ? `${HUB_PREFIX}${model.name}` : model.name;
}

/**
 * Opens the model that a compressed file was made from: `given` (`--original`) where there is one,
 * else the one that the file recorded; undefined where that cannot be found any more.
 */
export async function openOriginal(
  given: string | undefined,
  recorded: string | undefined,
  phases: Phases,
  signal: AbortSignal,
): Promise<ModelSource | undefined> {
  if (given !== undefined) return await openNamedModel(given, phases, signal);
  if (recorded === undefined) return undefined;
  if (recorded.startsWith(HUB_PREFIX)) {
    return await openNamedModel(recorded.slice(HUB_PREFIX.length), phases, signal);
  }
  if (existsSync(recorded)) return await openNamedModel(recorded, phases, signal);
  const embedded = await openModel();
  return embedded.name === recorded ? embedded : undefined;
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

/** Reads a model's weights and checks that they are finite. */
export async function readFiniteWeights(model: ModelSource): Promise<StateDict> {
  const weights = await readStateDict(model);
  for (const [name, { data }] of weights) assertFinite(name, data, model.name);
  return weights;
}
