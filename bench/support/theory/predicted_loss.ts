import type { WeightTensor } from "../../../data/mod.ts";
import type { TensorMetric } from "../../../hierarchy/mod.ts";

/**
 * What an error in one matrix is expected to cost, in nats per token: ½ Σ_op G_op e_o H e_pᵀ over
 * pairs of its outputs, with e_o the errors of the weights of output o and G the second moment of
 * the loss' gradient with respect to the outputs: its blocks where they are known, else its
 * diagonal.
 */
export function predictedLoss(
  original: WeightTensor,
  compressed: WeightTensor,
  { inputAxis, hessian, fisher, outputMoments }: TensorMetric,
): number {
  const inputs = Math.sqrt(hessian.length);
  const outputs = original.data.length / inputs;
  const [inputStride, outputStride] = inputAxis === 1 ? [1, inputs] : [outputs, 1];
  const errors = Array.from(
    { length: outputs },
    (_, output) =>
      Float64Array.from({ length: inputs }, (_, i) => {
        const at = i * inputStride + output * outputStride;
        return original.data[at]! - compressed.data[at]!;
      }),
  );
  const products = errors.map((error) =>
    error.map((_, i) => dot(hessian.subarray(i * inputs, (i + 1) * inputs), error))
  );
  let loss = 0;
  if (outputMoments === undefined) {
    errors.forEach((error, o) => loss += 0.5 * (fisher?.[o] ?? 1) * dot(error, products[o]!));
    return loss;
  }
  for (const { start, moment } of outputMoments) {
    const size = Math.sqrt(moment.length);
    for (let o = 0; o < size; o++) {
      for (let p = 0; p < size; p++) {
        loss += 0.5 * moment[o * size + p]! * dot(errors[start + o]!, products[start + p]!);
      }
    }
  }
  return loss;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
