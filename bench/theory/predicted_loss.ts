import type { WeightTensor } from "../../data/mod.ts";
import type { TensorMetric } from "../../hierarchy/mod.ts";

/**
 * What an error in one matrix is expected to cost, in nats a token: ½ Σ_o g_o e_o H e_oᵀ over its
 * outputs o, with e_o the errors of the weights of output o.
 */
export function predictedLoss(
  original: WeightTensor,
  compressed: WeightTensor,
  { inputAxis, hessian, fisher }: TensorMetric,
): number {
  const inputs = Math.sqrt(hessian.length);
  const outputs = original.data.length / inputs;
  const [inputStride, outputStride] = inputAxis === 1 ? [1, inputs] : [outputs, 1];
  const error = new Float64Array(inputs);
  let loss = 0;
  for (let output = 0; output < outputs; output++) {
    for (let i = 0; i < inputs; i++) {
      const at = i * inputStride + output * outputStride;
      error[i] = original.data[at]! - compressed.data[at]!;
    }
    let form = 0;
    for (let i = 0; i < inputs; i++) {
      let product = 0;
      for (let j = 0; j < inputs; j++) product += hessian[i * inputs + j]! * error[j]!;
      form += error[i]! * product;
    }
    loss += 0.5 * (fisher?.[output] ?? 1) * form;
  }
  return loss;
}
