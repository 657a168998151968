import { keepInputsOf, keepNodesOf } from "./select_edges.ts";
import { nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { requireInteger } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/**
 * The model with only the chosen nodes of a hidden layer. What the others gave on average to
 * `inputs` is added to edges that stay, so that the outputs do not shift.
 *
 * @param inputs [samples, inputs of the model], at least 1.
 * @param layer Index of the layer, not of the last.
 * @param kept Indices of nodes of the layer: first its plain sums, then its products; at least 1.
 * @throws RangeError if there is no such layer or node.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { keepNodes } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 5, 1], random: createRandom(0) });
 * const inputs = samplesFrom([[0, 0.1], [0.5, 0.7]]);
 * assert.equal(keepNodes(model, inputs, 0, [1, 4]).layers[1]!.inputDim, 2);
 * ```
 */
export function keepNodes(
  model: KanModel,
  inputs: Samples,
  layer: number,
  kept: readonly number[],
): KanModel {
  requireModelAndInputs(model, inputs, 1);
  requireInteger("layer", layer, 0, model.layers.length - 2);
  const chosen = requireChosen("kept", kept, nodeCount(model.layers[layer]!));
  return keepNodesOf(model, inputs, layer, chosen);
}

/**
 * The model with only the chosen inputs; new samples have only these columns, in ascending order.
 * What the others gave on average to `inputs` is added to edges that stay.
 *
 * @param inputs [samples, inputs of the model], at least 1.
 * @param kept Indices of inputs, at least 1.
 * @throws RangeError if there is no such input.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { keepInputs } from "@kanpress/kanpress/kan/pruning";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [3, 1], random: createRandom(0) });
 * const narrow = keepInputs(model, samplesFrom([[0, 0.1, 0.2]]), [0, 2]);
 * const same = evaluateKan(model, samplesFrom([[0, 0.1, 0.2]])).data[0]!;
 * assert.ok(Math.abs(evaluateKan(narrow, samplesFrom([[0, 0.2]])).data[0]! - same) < 1e-12);
 * ```
 */
export function keepInputs(model: KanModel, inputs: Samples, kept: readonly number[]): KanModel {
  requireModelAndInputs(model, inputs, 1);
  return keepInputsOf(model, inputs, requireChosen("kept", kept, model.layers[0]!.inputDim));
}

/** The chosen indices, ascending, each once. */
function requireChosen(name: string, kept: readonly number[], count: number): number[] {
  requireInteger(`the number of values of ${name}`, kept.length, 1);
  for (const index of kept) requireInteger(name, index, 0, count - 1);
  return [...new Set(kept)].sort((a, b) => a - b);
}
