import type { WeightTensor } from "../../../data/tensor.ts";

/** A gain for each output of a linear layer, by several formulas. */
export interface OutputGains {
  /** √(w H wᵀ / ŵ H ŵᵀ): the output's second moment is as before. */
  readonly moment: Float32Array;
  /** Half of the way from 1 to that. */
  readonly halfMoment: Float32Array;
  /** w H ŵᵀ / ŵ H ŵᵀ: the error's second moment is least. */
  readonly leastSquares: Float32Array;
}

/**
 * The gains of a layer whose inputs have the second moment H, `[inputs, inputs]`, given its weights and
 * what they decode to. `inputAxis` is the axis that runs over inputs.
 */
export function closedFormGains(
  { original, decoded }: { readonly original: WeightTensor; readonly decoded: WeightTensor },
  hessian: Float64Array,
  inputAxis: 0 | 1,
): OutputGains {
  const inputs = original.shape[inputAxis]!, outputs = original.shape[1 - inputAxis]!;
  const row = ({ data }: WeightTensor, output: number) =>
    Float64Array.from(
      { length: inputs },
      (_, i) => data[inputAxis === 1 ? output * inputs + i : i * outputs + output]!,
    );
  const moment = new Float32Array(outputs), leastSquares = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const [w, found] = [row(original, output), row(decoded, output)];
    const [ofOriginal, ofBoth, ofFound] = [form(w, w), form(w, found), form(found, found)];
    const isKnown = ofOriginal > 0 && ofFound > 0;
    moment[output] = isKnown ? Math.sqrt(ofOriginal / ofFound) : 1;
    leastSquares[output] = isKnown ? ofBoth / ofFound : 1;
  }
  return { moment, halfMoment: moment.map((gain) => (1 + gain) / 2), leastSquares };

  /** a H bᵀ. */
  function form(a: Float64Array, b: Float64Array): number {
    let sum = 0;
    for (let i = 0; i < inputs; i++) {
      let product = 0;
      for (let j = 0, at = i * inputs; j < inputs; j++, at++) product += hessian[at]! * b[j]!;
      sum += a[i]! * product;
    }
    return sum;
  }
}
