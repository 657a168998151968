import { basisOfInput } from "../fitting/grid_update.ts";
import type { KanModel } from "../model/model.ts";
import { requireModel } from "../model/model_checks.ts";
import { requireNumber, requireOneOf } from "../numeric/checks.ts";
import type { Random } from "../numeric/random.ts";

/** How {@link perturbKan} disturbs. */
export interface PerturbOptions {
  /** Standard deviation of what is added to spline coefficients, above 0. */
  readonly magnitude: number;
  /**
   * `"living"` (if omitted): noise on the curves that are there. `"removed"`: edges that were removed
   * come back as splines of noise. `"all"`: both. Symbolic edges stay as they are.
   */
  readonly edges?: "living" | "removed" | "all";
  /** The source of random numbers. */
  readonly random: Random;
}

/**
 * The model with noise on its splines, e.g. to get training out of a place where it is stuck, or to
 * give removed edges another chance.
 *
 * @throws RangeError if an option is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom } from "@kanpress/kanpress/kan";
 * import { perturbKan } from "@kanpress/kanpress/kan/growing";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const moved = perturbKan(model, { magnitude: 0.1, random: createRandom(1) });
 * assert.notDeepEqual(moved.layers[0]!.coefficients, model.layers[0]!.coefficients);
 * ```
 */
export function perturbKan(model: KanModel, options: PerturbOptions): KanModel {
  const { magnitude, edges = "living", random } = options;
  requireModel(model);
  requireNumber("magnitude", magnitude, { above: 0 });
  requireOneOf("edges", edges, ["living", "removed", "all"]);
  const layers = model.layers.map((layer) => {
    const { inputDim, outputDim } = layer;
    const [coefficients, baseWeights, splineScales] = [
      layer.coefficients.slice(),
      layer.baseWeights.slice(),
      layer.splineScales.slice(),
    ];
    const mask = layer.mask.slice();
    for (let edge = 0; edge < inputDim * outputDim; edge++) {
      if (layer.symbolic.has(edge)) continue;
      const o = edge % outputDim, i = (edge - o) / outputDim, isLiving = mask[edge] === 1;
      if (isLiving ? edges === "removed" : edges === "living") continue;
      if (!isLiving) {
        mask[edge] = 1;
        if (baseWeights.length > 0) baseWeights[edge] = 0;
        if (splineScales.length > 0) splineScales[edge] = 1;
      }
      const { size } = basisOfInput(layer, i);
      for (let j = 0; j < size; j++) {
        const at = (i * size + j) * outputDim + o;
        coefficients[at] = (isLiving ? coefficients[at]! : 0) + magnitude * random.normal();
      }
    }
    return { ...layer, coefficients, baseWeights, splineScales, mask };
  });
  return { ...model, layers };
}
