import { matMul } from "../numeric/mat_mul.ts";
import type { Tensor, Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import { applyBase, applySilu } from "./base_function.ts";
import type { EdgeTensors } from "./edge_tensors.ts";
import { expandBasis } from "./expansion.ts";

/**
 * The sums of all edges at inputs `x` [batch, inputs], [batch, outputs]: expands every basis function
 * and multiplies matrices. On any backend, differentiable any number of times.
 */
export function applyDenseEdges(edges: EdgeTensors, x: Tensor2D): Tensor2D {
  const [inputs, size, outputs] = edges.coefficients.shape;
  const sums = matMul(
    expandBasis(edges.bases, x).reshape<Tensor2D>([x.shape[0], inputs * size]),
    scaledCoefficients(edges).reshape<Tensor2D>([inputs * size, outputs]),
  );
  const baseWeights = livingBaseWeights(edges);
  if (baseWeights === undefined) return sums;
  return sums.add<Tensor2D>(matMul(applyBase(edges.base, x), baseWeights));
}

/** What the sums of edges depend on. */
export type EdgeInput = "x" | "coefficients" | "splineScales" | "baseWeights";

/**
 * The gradient with respect to one of these from that of the sums, `dy` [batch, outputs], as
 * differentiable as the sums.
 */
export function differentiateDenseEdges(
  of: EdgeInput,
  edges: EdgeTensors,
  x: Tensor2D,
  dy: Tensor2D,
): Tensor {
  const { bases, base, coefficients, splineScales, baseWeights, mask } = edges;
  const [inputs, size, outputs] = coefficients.shape, [batch] = x.shape;
  const living = (gradient: Tensor) => mask === undefined ? gradient : gradient.mul(mask);
  if (of === "x") {
    const weights = scaledCoefficients(edges).reshape<Tensor2D>([inputs * size, outputs]);
    const upstream = matMul(dy, weights.transpose()).reshape<Tensor3D>([batch, inputs, size]);
    const slopes = expandBasis(bases, x, 1).mul(upstream).sum<Tensor2D>(2);
    if (baseWeights === undefined) return slopes;
    const baseUpstream = matMul(dy, livingBaseWeights(edges)!.transpose());
    if (base === "identity") return slopes.add(baseUpstream);
    return slopes.add(baseUpstream.mul(applySilu(x, 1)));
  }
  if (of === "baseWeights") return living(matMul(applyBase(base, x).transpose(), dy));
  const expansion = expandBasis(bases, x).reshape<Tensor2D>([batch, inputs * size]);
  const weights = matMul(expansion.transpose(), dy).reshape<Tensor3D>([inputs, size, outputs]);
  if (of === "splineScales") return living(weights.mul(coefficients).sum(1));
  return scaledCoefficients({ bases, base, coefficients: weights, splineScales, mask });
}

/** The coefficients with the factors of their edges, 0 where there is no edge. */
export function scaledCoefficients({ coefficients, splineScales, mask }: EdgeTensors): Tensor3D {
  let weights = coefficients;
  for (const factors of [splineScales, mask]) {
    if (factors !== undefined) weights = weights.mul(factors.expandDims(1));
  }
  return weights;
}

/** The base weights, 0 where there is no edge; undefined if there are none. */
export function livingBaseWeights({ baseWeights, mask }: EdgeTensors): Tensor2D | undefined {
  return mask === undefined ? baseWeights : baseWeights?.mul(mask);
}
