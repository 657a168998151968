import { type EdgeKernels, zerosLike } from "./edge_batch.ts";
import { factorGradients, timesFactors } from "./edge_factors.ts";

/**
 * The passes in plain TypeScript, for platforms without WebAssembly. In float64 bit for bit what the
 * kernels give; in float32 it rounds less often than they do.
 */
export const edgeReference: EdgeKernels = {
  forward(batch, wantsEdges) {
    const { rows, inputs, outputs, size, support, first, values, baseWeights } = batch;
    const weights = timesFactors(batch.weights, batch.factors, outputs);
    const sums = zerosLike(weights, rows * outputs);
    const edges = zerosLike(weights, wantsEdges ? rows * inputs * outputs : 0);
    const hasBase = baseWeights.length > 0;
    for (let point = 0; point < rows * inputs; point++) {
      const row = Math.floor(point / inputs), i = point % inputs;
      const base = hasBase ? batch.bases[point]! : 0;
      for (let o = 0; o < outputs; o++) {
        let at = (i * size + first[point]!) * outputs + o;
        let curve = values[point * support]! * weights[at]!;
        for (let j = 1; j < support; j++) {
          curve += values[point * support + j]! * weights[at += outputs]!;
        }
        if (hasBase) curve += base * baseWeights[i * outputs + o]!;
        if (wantsEdges) edges[point * outputs + o] = curve;
        sums[row * outputs + o]! += curve;
      }
    }
    return { sums, edges };
  },

  backward(batch, sumGradients, edgeGradients) {
    const { rows, inputs, outputs, size, support, first, factors, baseWeights } = batch;
    const weights = timesFactors(batch.weights, factors, outputs);
    const weightGradients = zerosLike(weights, weights.length);
    const baseGradients = zerosLike(weights, baseWeights.length);
    const hasSlopes = batch.slopes.length > 0;
    const inputGradients = zerosLike(weights, hasSlopes ? rows * inputs : 0);
    const hasBase = baseWeights.length > 0, hasEdges = edgeGradients.length > 0;
    // The kernels add up in lanes of 16 bytes, and what is left over after them.
    const lanes = 16 / weights.BYTES_PER_ELEMENT, whole = outputs - outputs % lanes;
    const products = new Float64Array(lanes);
    for (let point = 0; point < rows * inputs; point++) {
      const row = Math.floor(point / inputs), i = point % inputs;
      const base = hasBase ? batch.bases[point]! : 0;
      const baseSlope = hasBase && hasSlopes ? batch.baseSlopes[point]! : 0;
      products.fill(0);
      let rest = 0;
      for (let o = 0; o < outputs; o++) {
        let upstream = sumGradients[row * outputs + o]!;
        if (hasEdges) upstream += edgeGradients[point * outputs + o]!;
        let curve = 0;
        for (let j = 0, local = point * support; j < support; j++, local++) {
          const at = (i * size + first[point]! + j) * outputs + o;
          const term = hasSlopes ? batch.slopes[local]! * weights[at]! : 0;
          curve = j === 0 ? term : curve + term;
          weightGradients[at]! += batch.values[local]! * upstream;
        }
        if (hasBase) {
          curve += baseSlope * baseWeights[i * outputs + o]!;
          baseGradients[i * outputs + o]! += base * upstream;
        }
        if (o < whole) products[o % lanes]! += curve * upstream;
        if (o === whole) rest = sumLanes(products);
        if (o >= whole) rest += curve * upstream;
      }
      if (hasSlopes) inputGradients[point] = whole === outputs ? sumLanes(products) : rest;
    }
    return {
      weights: timesFactors(weightGradients, factors, outputs),
      factors: factorGradients(weightGradients, batch.weights, outputs, factors.length),
      baseWeights: baseGradients,
      inputs: inputGradients,
    };
  },
};

function sumLanes(lanes: Float64Array): number {
  let sum = lanes[0]!;
  for (let lane = 1; lane < lanes.length; lane++) sum += lanes[lane]!;
  return sum;
}
