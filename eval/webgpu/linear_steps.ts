import type { Device } from "./device.ts";
import { fewRows, fewRowsProductStep } from "./few_rows_product.ts";
import type { LinearBuffers } from "./model_weights.ts";
import { productStep } from "./product.ts";
import type { Step } from "./program.ts";
import { sparseProductStep } from "./sparse_product.ts";

/** What goes into a linear layer, or its gradient, and where. */
export interface LinearOptions {
  readonly linear: LinearBuffers;
  readonly rows: number;
  readonly input: GPUBuffer;
  readonly output: GPUBuffer;
  /** Whether it is added to what the output holds. */
  readonly adds?: boolean;
}

/** y = x Wᵀ + b for `[rows, inputs]`. */
export function linearSteps(
  device: Device,
  options: LinearOptions & {
    /** Values from a row of the output to the next, if not its outputs, and where they begin. */
    readonly stride?: number;
    readonly start?: number;
  },
): Step[] {
  const { linear: { inputs, outputs, matrix, bias }, rows, input, output, adds = false } = options;
  const { stride = outputs, start = 0 } = options;
  const sizes = { rows, columns: outputs, inner: inputs };
  const product = rows <= fewRows
    ? fewRowsProductStep(device, { ...sizes, input, matrix, output, stride, start, bias, adds })
    : productStep(device, {
      ...sizes,
      left: { buffer: input, stride: inputs, layout: "alongInner" },
      right: matrix,
      result: { buffer: output, start, stride },
      bias,
      adds,
    });
  const { sparse, scales } = matrix;
  if (sparse === undefined) return [product];
  return [
    product,
    sparseProductStep(device, { ...sizes, input, sparse, scales: scales!, output, stride, start }),
  ];
}

/** The gradient by a linear layer's input, given that by its output, `[rows, outputs]`. */
export function linearGradientStep(device: Device, options: LinearOptions): Step {
  const { linear: { inputs, outputs, matrix }, rows, input, output, adds = false } = options;
  return productStep(device, {
    rows,
    columns: inputs,
    inner: outputs,
    left: { buffer: input, stride: outputs, layout: "alongInner" },
    right: turned(matrix),
    result: { buffer: output, stride: inputs },
    adds,
  });
}

/** The same matrix as the right operand of a product with its transpose. */
export function turned(matrix: LinearBuffers["matrix"]): LinearBuffers["matrix"] {
  return { ...matrix, layout: matrix.layout === "alongInner" ? "alongResult" : "alongInner" };
}
