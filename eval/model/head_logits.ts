import * as tf from "@tensorflow/tfjs";
import type { TransformerDescription } from "../architectures/description.ts";
import { readValues } from "../compute/backend.ts";
import { type HeadBlock, headBlocks } from "./head_blocks.ts";
import { finishLogits, transformHeadInput } from "./forward.ts";
import type { LayerKernels } from "../kernels/layer_kernels.ts";
import { multiply, multiplyStored, type StoredMatrix } from "../kernels/multiply.ts";
import { beginPass } from "../layers/forward_pass.ts";
import type { RunnableModel } from "./runnable_model.ts";

/** Logits of one block of outputs, `[rows, end - start]`, of what goes into the head's product. */
async function blockLogits(
  { description, parameters }: RunnableModel,
  x: tf.Tensor2D,
  [start, end]: HeadBlock,
): Promise<Float32Array> {
  const { head } = description;
  const bias = head.bias === undefined
    ? undefined
    : tf.slice1d(parameters.vector(head.bias), start, end - start);
  const matrix = parameters.columnsForProducts(head.weight, start, end);
  const logits = await multiplyHead(description, x, matrix, bias);
  bias?.dispose();
  return logits;
}

/**
 * As {@linkcode headLogits}, as a tensor in the memory of kernels, which the caller owns.
 */
export function headLogitsTensor(
  model: RunnableModel,
  kernels: LayerKernels,
  hidden: Float32Array,
): tf.Tensor2D {
  const { description, parameters } = model;
  const { head, hiddenSize } = description;
  return tf.tidy(() => {
    const x = headInput(model, hidden);
    const tensor = kernels.allocate(hidden.length / hiddenSize, head.outputs);
    for (const [start, end] of headBlocks(head)) {
      const bias = head.bias === undefined
        ? undefined
        : tf.slice1d(parameters.vector(head.bias), start, end - start);
      const matrix = parameters.columnsForProducts(head.weight, start, end);
      multiply(kernels, x, matrix, bias, { tensor, column: start });
      parameters.release();
    }
    return finishLogits(description, tensor);
  });
}

/** The logits of x W + b, row-major, for a block of a head's outputs. */
export async function multiplyHead(
  model: TransformerDescription,
  x: tf.Tensor2D,
  matrix: StoredMatrix,
  bias?: tf.Tensor1D,
): Promise<Float32Array> {
  const logits = tf.tidy(() => {
    return finishLogits(model, multiplyStored(x, matrix, bias));
  });
  const values = await readValues(logits);
  logits.dispose();
  return values;
}

/** Rows of hidden states as they go into the head's product; the caller owns the result. */
export function headInput(
  { description, parameters }: RunnableModel,
  hidden: Float32Array,
): tf.Tensor2D {
  const { hiddenSize } = description;
  return tf.tidy(() => {
    const x = tf.tensor2d(hidden, [hidden.length / hiddenSize, hiddenSize]);
    const pass = beginPass(parameters, { batch: 1, length: x.shape[0] });
    return transformHeadInput(pass, description, x);
  });
}

/**
 * Logits of rows of hidden states, row-major, one row for each; as `applyHead` gives them, but a block
 * of outputs at a time, so that a large head need not be in the heap whole.
 */
export async function headLogits(
  model: RunnableModel,
  hidden: Float32Array,
): Promise<Float32Array> {
  const { description, parameters } = model;
  const { head, hiddenSize } = description;
  const rows = hidden.length / hiddenSize;
  const logits = new Float32Array(rows * head.outputs);
  const x = headInput(model, hidden);
  for (const block of headBlocks(head)) {
    const values = await blockLogits(model, x, block);
    parameters.release();
    const [start, end] = block;
    for (let row = 0; row < rows; row++) {
      const from = row * (end - start);
      logits.set(values.subarray(from, from + end - start), row * head.outputs + start);
    }
  }
  x.dispose();
  return logits;
}
