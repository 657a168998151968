import { type KanModel, parameterCount } from "../model/model.ts";
import { requireNumber, requireOneOf, requireOptionNames } from "../numeric/checks.ts";
import type { KanLayerModel } from "../model/layer_model.ts";
import type { LayerTrace } from "./layer_pass.ts";

/** Strengths of the sparsity penalty of Liu et al. 2024 (arXiv:2404.19756, section 2.5.1). */
export interface Regularization {
  /** Overall strength; 0 switches the penalty off. */
  readonly lambda: number;
  /** Weight of the sum of edge scores; 1 if omitted. */
  readonly l1?: number;
  /** Weight of the entropies of edge scores; 2 if omitted. */
  readonly entropy?: number;
  /** Weight of the absolute values of spline coefficients; 0 if absent. pykan's `lamb_coef`. */
  readonly coefficients?: number;
  /**
   * Weight of the absolute differences of neighbouring coefficients, which makes curves smooth; 0 if
   * absent. pykan's `lamb_coefdiff`.
   */
  readonly coefficientChanges?: number;
  /**
   * What the score of an edge is: `"normalized"`, its spread over that of its input (if absent, as in
   * pykan); `"unnormalized"`, its spread; `"backward"`, its share in the outputs, as `attributeKan`
   * has it, in float64 only.
   */
  readonly metric?: "normalized" | "unnormalized" | "backward";
}

const METRICS = ["normalized", "unnormalized", "backward"] as const;

/** Throws a RangeError unless all strengths are finite and not negative. */
export function requireRegularization(regularization: Regularization): void {
  requireOptionNames("regularization", regularization, {
    lambda: true,
    l1: true,
    entropy: true,
    coefficients: true,
    coefficientChanges: true,
    metric: true,
  });
  const { lambda, l1 = 1, entropy = 2, coefficients = 0, coefficientChanges = 0 } = regularization;
  const weights = { lambda, l1, entropy, coefficients, coefficientChanges };
  for (const [name, value] of Object.entries(weights)) {
    requireNumber(`regularization.${name}`, value, { least: 0 });
  }
  requireOneOf("regularization.metric", regularization.metric ?? "normalized", METRICS);
}

/** Added to the spread of an input before dividing by it. */
export const INPUT_SPREAD_OFFSET = 0.1;
/** Added inside the logarithm of the entropy. */
export const ENTROPY_OFFSET = 1e-4;

/** The mean and the standard deviation (over n - 1) of each column. */
export function columnSpreads(
  data: Float64Array,
  columns: number,
): { means: Float64Array; deviations: Float64Array } {
  const rows = data.length / columns;
  const means = new Float64Array(columns), deviations = new Float64Array(columns);
  for (let at = 0; at < data.length; at++) means[at % columns]! += data[at]! / rows;
  for (let at = 0; at < data.length; at++) {
    deviations[at % columns]! += (data[at]! - means[at % columns]!) ** 2;
  }
  for (let c = 0; c < columns; c++) {
    deviations[c] = rows > 1 ? Math.sqrt(deviations[c]! / (rows - 1)) : 0;
  }
  return { means, deviations };
}

/**
 * The penalty of the scores s of one layer and its gradient:
 * l1 sum s + entropy (H_rows + H_columns), where H = -mean over rows sum p log2(p + 1e-4) with
 * p = s / (sum of the row + 1), and the same over columns.
 *
 * @param scores [inputDim, outputDim].
 */
export function scorePenalty(
  scores: Float64Array,
  outputDim: number,
  regularization: Regularization,
): { value: number; gradient: Float64Array } {
  const { l1 = 1, entropy = 2 } = regularization;
  const inputDim = scores.length / outputDim;
  const gradient = new Float64Array(scores.length).fill(l1);
  let value = l1 * scores.reduce((sum, score) => sum + score, 0);
  const addEntropy = (groups: number, members: number, index: (g: number, m: number) => number) => {
    for (let group = 0; group < groups; group++) {
      let total = 1;
      for (let m = 0; m < members; m++) total += scores[index(group, m)]!;
      let weighted = 0;
      const slopes = Array.from({ length: members }, (_, m) => {
        const p = scores[index(group, m)]! / total;
        value -= entropy / groups * p * Math.log2(p + ENTROPY_OFFSET);
        const slope = Math.log2(p + ENTROPY_OFFSET) + p / ((p + ENTROPY_OFFSET) * Math.LN2);
        weighted += slope * p;
        return slope;
      });
      slopes.forEach((slope, m) => {
        gradient[index(group, m)]! -= entropy / groups * (slope - weighted) / total;
      });
    }
  };
  addEntropy(outputDim, inputDim, (o, i) => i * outputDim + o);
  addEntropy(inputDim, outputDim, (i, o) => i * outputDim + o);
  return { value, gradient };
}

/** The penalty of one layer, and its gradients with respect to spline edges and inputs. */
export interface LayerPenalty {
  /** lambda times the penalty. */
  readonly value: number;
  /** [rows, inputDim, outputDim]. */
  readonly edgeGradients: Float64Array;
  /** [rows, inputDim]. */
  readonly inputGradients: Float64Array;
}

/** The penalty on s = std(phi) / (std(x) + .1) of the spline edges; symbolic edges are free. */
export function penalizeLayer(
  layer: KanLayerModel,
  trace: LayerTrace,
  regularization: Regularization,
): LayerPenalty {
  const { inputDim, outputDim } = layer;
  const edgeCount = inputDim * outputDim;
  const rows = trace.inputs.length / inputDim;
  const edges = columnSpreads(trace.edges, edgeCount);
  const inputs = columnSpreads(trace.inputs, inputDim);
  const isNormalized = (regularization.metric ?? "normalized") === "normalized";
  const spreadOf = (input: number) =>
    isNormalized ? inputs.deviations[input]! + INPUT_SPREAD_OFFSET : 1;
  const scores = edges.deviations.map((deviation, edge) => {
    const input = Math.floor(edge / outputDim);
    return layer.mask[edge]! * deviation / spreadOf(input);
  });
  const penalty = scorePenalty(scores, outputDim, regularization);
  const edgeGradients = new Float64Array(trace.edges.length);
  const inputGradients = new Float64Array(trace.inputs.length);
  for (let edge = 0; edge < edgeCount; edge++) {
    const slope = layer.mask[edge]! * regularization.lambda * penalty.gradient[edge]!;
    if (slope === 0 || rows < 2) continue;
    const input = Math.floor(edge / outputDim);
    const spread = spreadOf(input);
    const perEdge = ratio(slope / spread, edges.deviations[edge]! * (rows - 1));
    const perInput = isNormalized
      ? ratio(-slope * scores[edge]! / spread, inputs.deviations[input]! * (rows - 1))
      : 0;
    for (let row = 0; row < rows; row++) {
      const at = row * edgeCount + edge, point = row * inputDim + input;
      edgeGradients[at] = perEdge * (trace.edges[at]! - edges.means[edge]!);
      inputGradients[point]! += perInput * (trace.inputs[point]! - inputs.means[input]!);
    }
  }
  return { value: regularization.lambda * penalty.value, edgeGradients, inputGradients };
}

/** a / b, or 0 where b is 0: a constant column has no direction to grow in. */
function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}

/**
 * The penalty on the coefficients themselves: over the inputs and functions of each layer, the sum of
 * means over the outputs of |c| and of differences of neighbours; and its gradient with respect to all
 * parameters.
 */
export function penalizeCoefficients(
  model: KanModel,
  regularization: Regularization,
): { value: number; gradient: Float64Array } | undefined {
  const { lambda, coefficients = 0, coefficientChanges = 0 } = regularization;
  if (lambda === 0 || (coefficients === 0 && coefficientChanges === 0)) return undefined;
  const gradient = new Float64Array(parameterCount(model));
  let value = 0, start = 0;
  for (const layer of model.layers) {
    const { outputDim } = layer, { size } = layer.bases[0]!, values = layer.coefficients;
    const [own, change] = [
      lambda * coefficients / outputDim,
      lambda * coefficientChanges / outputDim,
    ];
    for (let at = 0; at < values.length; at++) {
      value += own * Math.abs(values[at]!);
      gradient[start + at]! += own * Math.sign(values[at]!);
      if (Math.floor(at / outputDim) % size === size - 1) continue;
      const step = values[at + outputDim]! - values[at]!;
      value += change * Math.abs(step);
      gradient[start + at]! -= change * Math.sign(step);
      gradient[start + at + outputDim]! += change * Math.sign(step);
    }
    start += parameterCount({ layers: [layer] });
  }
  return { value, gradient };
}
