import { createBsplines, gridOf } from "../bases/bspline.ts";
import { uniformGrid } from "../bases/grid.ts";
import { traceModel } from "../engine/evaluate.ts";
import { gridFromSamples } from "../fitting/grid_update.ts";
import { type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import { requireInteger } from "../numeric/checks.ts";
import type { Samples } from "../numeric/least_squares.ts";

/** How {@link deepenKan} makes the new layer. */
export interface DeepenOptions {
  /** Intervals of its grids; 3 if omitted. */
  readonly intervals?: number;
  /** Order of its splines, at least 1; 3 if omitted. */
  readonly order?: number;
}

/**
 * The model with one more layer at its end, which passes on what it gets: its diagonal curves are
 * lines, the others 0, until they are trained. They go on as lines beyond their grids.
 *
 * @param inputs [samples, inputs of the model], at least 1; they set the grids of the new layer.
 * @throws RangeError if there are no samples or a number is out of its range.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import { deepenKan } from "@kanpress/kanpress/kan/growing";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const x = samplesFrom([[0.1, 0.2], [-0.3, 0.9]]);
 * const deep = deepenKan(model, x);
 * assert.equal(deep.layers.length, 2);
 * assert.ok(Math.abs(evaluateKan(deep, x).data[1]! - evaluateKan(model, x).data[1]!) < 1e-12);
 * ```
 */
export function deepenKan(
  model: KanModel,
  inputs: Samples,
  options: DeepenOptions = {},
): KanModel {
  const { intervals = 3, order = 3 } = options;
  requireModelAndInputs(model, inputs, 1);
  requireInteger("order", order, 1);
  const { nodes } = traceModel(model, inputs, { edges: false, slopes: false }).at(-1)!;
  const last = model.layers.at(-1)!, count = nodeCount(last);
  const bases = Array.from({ length: count }, (_, i) => {
    const column = nodes.filter((_, at) => at % count === i);
    const grid = gridFromSamples(uniformGrid({ intervals, order }), column, 1);
    return createBsplines(grid, "linear");
  });
  const { size } = bases[0]!;
  const coefficients = new Float64Array(count * size * count);
  bases.forEach((basis, i) => {
    const { knots } = gridOf(basis)!;
    // With the means of their inner knots as coefficients, B-splines add up to a line.
    for (let j = 0; j < size; j++) {
      const inner = knots.slice(j + 1, j + 1 + order);
      coefficients[(i * size + j) * count + i] = inner.reduce((a, b) => a + b, 0) / order;
    }
  });
  const edges = count * count;
  const layer: KanLayerModel = {
    inputDim: count,
    outputDim: count,
    products: [],
    bases,
    base: last.base,
    coefficients,
    baseWeights: new Float64Array(last.base === "none" ? 0 : edges),
    splineScales: new Float64Array(last.splineScales.length > 0 ? edges : 0).fill(1),
    mask: new Uint8Array(edges).fill(1),
    symbolic: new Map(),
  };
  return { ...model, layers: [...model.layers, layer] };
}
