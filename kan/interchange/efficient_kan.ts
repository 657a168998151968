import type { BaseFunction } from "../bases/base_function.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireModel } from "../model/model_checks.ts";
import { decodeSafetensors } from "../model/safetensors.ts";
import { requireOneOf } from "../numeric/checks.ts";
import { basesFrom, type FileTensors, tensorsOf } from "./file_tensors.ts";

/**
 * The lines of Python that write a model of efficient-kan to `model.safetensors`, for
 * {@link readEfficientKan}.
 *
 * ```ts
 * import { efficientKanExport } from "@kanpress/kanpress/kan/interchange";
 *
 * console.log(efficientKanExport); // to be pasted where `model` is
 * ```
 */
export const efficientKanExport: string = `# pip install safetensors
from safetensors.torch import save_file

tensors = {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
save_file(tensors, "model.safetensors")
`;

/**
 * A network of efficient-kan, a `KAN` or a `KANLinear`, from the file that {@link efficientKanExport}
 * writes. As there, splines fade to 0 beyond their grids.
 *
 * @param base What `base_activation` was; `"silu"`, its default, if omitted.
 * @throws RangeError if the file is damaged or holds no such network.
 *
 * ```ts
 * import { readEfficientKan } from "@kanpress/kanpress/kan/interchange";
 * import assert from "node:assert";
 *
 * const bytes = await Deno.readFile("kan/interchange/testdata/efficient_kan.safetensors");
 * assert.equal(readEfficientKan(bytes).layers.length, 2);
 * ```
 */
export function readEfficientKan(bytes: Uint8Array, base: BaseFunction = "silu"): KanModel {
  requireOneOf("base", base, ["silu", "identity", "none"]);
  const files = tensorsOf(decodeSafetensors(bytes).tensors);
  const ending = "base_weight";
  const prefixes = files.names.filter((name) => name === ending || name.endsWith(`.${ending}`))
    .map((name) => name.slice(0, -ending.length));
  if (prefixes.length === 0) {
    throw new RangeError('the file has no tensor "layers.0.base_weight": not an efficient-kan');
  }
  const numberOf = (prefix: string) => Number(/(\d+)\.$/.exec(prefix)?.[1] ?? 0);
  prefixes.sort((a, b) => numberOf(a) - numberOf(b));
  const model = { layers: prefixes.map((prefix) => readLayer(files, prefix, base)) };
  requireModel(model);
  return model;
}

function readLayer(files: FileTensors, prefix: string, base: BaseFunction): KanLayerModel {
  const [outputDim, inputDim] = files.shapeOf(`${prefix}base_weight`, 2) as [number, number];
  const { bases, size } = basesFrom(files, `${prefix}grid`, `${prefix}spline_weight`, inputDim);
  const weights = files.find(`${prefix}spline_weight`, [outputDim, inputDim, size]);
  const turned = (name: string) => {
    const values = files.find(prefix + name, [outputDim, inputDim]);
    return values.map((_, edge) =>
      values[edge % outputDim * inputDim + Math.floor(edge / outputDim)]!
    );
  };
  return {
    inputDim,
    outputDim,
    products: [],
    bases,
    base,
    coefficients: weights.map((_, at) => {
      const o = at % outputDim, place = (at - o) / outputDim;
      return weights[o * inputDim * size + place]!;
    }),
    baseWeights: base === "none" ? new Float64Array(0) : turned("base_weight"),
    splineScales: files.names.includes(`${prefix}spline_scaler`)
      ? turned("spline_scaler")
      : new Float64Array(0),
    mask: new Uint8Array(inputDim * outputDim).fill(1),
    symbolic: new Map(),
  };
}
