import type * as tf from "@tensorflow/tfjs";
import type { LayerKernels } from "./layer_kernels.ts";

/** What {@linkcode sumLogits} finds of one row, besides the largest logit: see `sumLogits` of the kernel. */
export interface LogitSums {
  /** Σ exp(a - largest a) over the first model's logits a. */
  readonly sum: number;
  /** The first place of its largest logit. */
  readonly top: number;
  /** The same of the second model's logits b, if there is one. */
  readonly otherSum: number;
  readonly otherTop: number;
  /** Σ exp(a - largest a) (a - b). */
  readonly difference: number;
  /** A logit of either model, 0 or 1. */
  readonly logit: (model: number, place: number) => number;
}

/** Calls `visit` with what the logits of one or two models, `[rows, outputs]`, sum up to in each row. */
export function sumLogits(
  kernels: LayerKernels,
  logits: readonly tf.Tensor2D[],
  visit: (row: number, sums: LogitSums) => void,
): void {
  const [rows, outputs] = logits[0]!.shape;
  const [first, second] = logits.map((x) => kernels.at(x)) as [number, number?];
  const scratch = kernels.scratch(40);
  for (let row = 0; row < rows; row++) {
    const offset = 4 * row * outputs;
    kernels.run.sumLogits(
      outputs,
      first + offset,
      second === undefined ? 0 : second + offset,
      scratch,
    );
    const [sum, top, otherSum, otherTop, difference] = kernels.doubles(scratch, 5) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const places = [first, second ?? first];
    const logit = (model: number, place: number) =>
      kernels.float(places[model]! + offset + 4 * place);
    visit(row, { sum, top, otherSum, otherTop, difference, logit });
  }
}
