import { existsSync } from "node:fs";
import {
  assertFinite,
  InputError,
  type ModelSource,
  openModel,
  type StateDict,
} from "../data/mod.ts";
import { checkTensors } from "../eval/expected_tensors.ts";
import { describeModel, readStateDict } from "../eval/mod.ts";

/**
 * Opens the model that a compressed file was made from: `given` (`--original`) where there is one,
 * else the one that the file recorded, which is undefined where it cannot be opened any more.
 */
export async function openOriginal(
  given: string | undefined,
  recorded: string | undefined,
): Promise<ModelSource | undefined> {
  if (given !== undefined) return await openModel(given);
  if (recorded === undefined) return undefined;
  try {
    if (!existsSync(recorded)) {
      const embedded = await openModel();
      if (embedded.name === recorded) return embedded;
    }
    return await openModel(recorded);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/**
 * Checks that a model can be run, by its config and the names and shapes of its tensors, before
 * any of them is read; gives the longest text, in tokens, that it can read at once.
 */
export function checkModel(model: ModelSource): number {
  const { tensors } = model.weights;
  try {
    const description = describeModel(model.config, tensors.map(({ name }) => name));
    checkTensors(model.config, description, tensors);
    return description.contextLength;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${model.name}: ${error.message}`, { cause: error });
  }
}

/** Reads a model's weights and checks that they are finite. */
export async function readFiniteWeights(model: ModelSource): Promise<StateDict> {
  const weights = await readStateDict(model);
  for (const [name, { data }] of weights) assertFinite(name, data, model.name);
  return weights;
}
