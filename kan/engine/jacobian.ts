import { requireModelAndInputs } from "../model/model_checks.ts";
import type { Samples } from "../numeric/least_squares.ts";
import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { traceModel } from "./evaluate.ts";
import { backwardLayer } from "./layer_pass.ts";

/**
 * The derivatives of every output of every sample with respect to every parameter, in float64:
 * [samples * outputs, parameters].
 *
 * @param inputs [samples, inputs of the model].
 * @throws RangeError if the number of inputs is wrong.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { jacobianOf } from "@kanpress/kanpress/kan/optimizers";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 2], random: createRandom(0) });
 * assert.equal(jacobianOf(model, samplesFrom([[0.1], [0.2], [0.3]])).rows, 6);
 * ```
 */
export function jacobianOf(model: KanModel, inputs: Samples): Samples {
  requireModelAndInputs(model, inputs);
  const parameters = parameterCount(model), { columns } = inputs;
  let outputs = 0;
  const gradients: Float64Array[] = [];
  for (let row = 0; row < inputs.rows; row++) {
    const data = inputs.data.subarray(row * columns, (row + 1) * columns);
    const traces = traceModel(model, { rows: 1, columns, data }, { edges: false, slopes: true });
    outputs = traces.at(-1)!.nodes.length;
    for (let output = 0; output < outputs; output++) {
      const gradient = new Float64Array(parameters);
      let upstream: Float64Array = new Float64Array(outputs);
      upstream[output] = model.scaling?.outputs[output]?.spread ?? 1;
      let end = parameters;
      for (let l = model.layers.length - 1; l >= 0; l--) {
        const layer = model.layers[l]!, start = end - layerParameterCount(layer);
        const part = gradient.subarray(start, end);
        upstream = backwardLayer(layer, traces[l]!, upstream, undefined, part);
        end = start;
      }
      gradients.push(gradient);
    }
  }
  const data = new Float64Array(gradients.length * parameters);
  gradients.forEach((gradient, row) => data.set(gradient, row * parameters));
  return { rows: gradients.length, columns: parameters, data };
}
