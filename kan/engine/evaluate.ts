import { requireSamples } from "../numeric/checks.ts";
import { requireModelAndInputs } from "../model/model_checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { toRaw, toScaled } from "../model/scaling.ts";
import { forwardLayer, type LayerTrace } from "./layer_pass.ts";

/**
 * The outputs of the network in float64, without tfjs.
 *
 * @param inputs [samples, inputs of the model].
 * @returns [samples, nodes of the last layer].
 * @throws RangeError if the number of inputs is wrong, or as the extrapolation policy says.
 *
 * ```ts
 * import { createKanModel, createRandom, evaluateKan, samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 5, 1], random: createRandom(0) });
 * const outputs = evaluateKan(model, samplesFrom([[0.1, 0.2], [0.3, 0.4]]));
 * assert.deepEqual([outputs.rows, outputs.columns], [2, 1]);
 * ```
 */
export function evaluateKan(model: KanModel, inputs: Samples): Samples {
  requireModelAndInputs(model, inputs);
  const traces = traceModel(model, inputs, { edges: false, slopes: false });
  const data = toRaw(traces.at(-1)!.nodes, model.scaling?.outputs);
  return { rows: inputs.rows, columns: nodeCount(model.layers.at(-1)!), data };
}

/**
 * The forward pass through every layer, with everything that later passes need. It takes raw inputs;
 * what it returns is what layers see and compute. The gradient with respect to the inputs of the
 * model needs slopes of the first layer, too.
 */
export function traceModel(
  model: KanModel,
  inputs: Samples,
  wants: { edges: boolean; slopes: boolean; inputSlopes?: boolean },
): LayerTrace[] {
  const inputDim = model.layers[0]!.inputDim;
  if (inputs.columns !== inputDim) {
    throw new RangeError(`the model has ${inputDim} inputs, the samples ${inputs.columns}`);
  }
  let data = toScaled(inputs.data, model.scaling?.inputs);
  return model.layers.map((layer, l) => {
    const slopes = wants.slopes && (l > 0 || wants.inputSlopes === true);
    const trace = forwardLayer(layer, data, inputs.rows, { edges: wants.edges, slopes });
    data = trace.nodes;
    return trace;
  });
}

/**
 * The matrix with these rows.
 *
 * @throws RangeError if they differ in length or a number is not finite.
 *
 * ```ts
 * import { samplesFrom } from "@kanpress/kanpress/kan";
 * import assert from "node:assert";
 *
 * assert.equal(samplesFrom([[1, 2], [3, 4], [5, 6]]).columns, 2);
 * ```
 */
export function samplesFrom(rows: readonly (readonly number[])[]): Samples {
  const columns = rows[0]?.length ?? 0;
  if (!rows.every((row) => row.length === columns)) {
    throw new RangeError("all samples must have the same length");
  }
  const samples = { rows: rows.length, columns, data: Float64Array.from(rows.flat()) };
  requireSamples("samples", samples);
  return samples;
}
