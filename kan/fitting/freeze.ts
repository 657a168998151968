import { type KanModel, layerParameterCount, parameterCount } from "../model/model.ts";
import { requireInteger, requireOneOf } from "../numeric/checks.ts";
import type { FrozenPart } from "./fit_options.ts";

const PARTS = ["coefficients", "baseWeights", "splineScales", "symbolic"] as const;

/**
 * 1 for every parameter, in the order of the parameter vector, that a part freezes; undefined if no
 * parts are given.
 *
 * @throws RangeError if a part names what the model does not have.
 */
export function frozenParameters(
  model: KanModel,
  freeze?: readonly FrozenPart[],
): Uint8Array | undefined {
  if (freeze === undefined || freeze.length === 0) return undefined;
  const frozen = new Uint8Array(parameterCount(model));
  const starts: number[] = [];
  model.layers.reduce((start, layer) => {
    starts.push(start);
    return start + layerParameterCount(layer);
  }, 0);
  for (const part of freeze) {
    requireInteger("the layer of a frozen part", part.layer, 0, model.layers.length - 1);
    const layer = model.layers[part.layer]!, { inputDim, outputDim } = layer;
    if (part.input !== undefined) {
      requireInteger("the input of a frozen part", part.input, 0, inputDim - 1);
    }
    if (part.output !== undefined) {
      requireInteger("the output of a frozen part", part.output, 0, outputDim - 1);
    }
    const isIn = (edge: number) => {
      const o = edge % outputDim, i = (edge - o) / outputDim;
      return (part.input ?? i) === i && (part.output ?? o) === o;
    };
    for (const name of part.parts ?? []) requireOneOf("a frozen part", name, PARTS);
    let at = starts[part.layer]!;
    const { size } = layer.bases[0]!;
    for (const name of PARTS) {
      const count = name === "symbolic" ? 4 * layer.symbolic.size : layer[name].length;
      const places = name === "symbolic" ? [...layer.symbolic.keys()] : [];
      for (let k = 0; k < count && (part.parts?.includes(name) ?? true); k++) {
        let edge = k;
        if (name === "coefficients") {
          edge = Math.floor(k / (size * outputDim)) * outputDim + k % outputDim;
        } else if (name === "symbolic") edge = places[Math.floor(k / 4)]!;
        if (isIn(edge)) frozen[at + k] = 1;
      }
      at += count;
    }
  }
  return frozen;
}

/** The layers of which some coefficients are frozen. */
export function layersWithFrozenSplines(freeze: readonly FrozenPart[]): ReadonlySet<number> {
  return new Set(
    freeze.filter(({ parts }) => parts?.includes("coefficients") ?? true).map(({ layer }) => layer),
  );
}
