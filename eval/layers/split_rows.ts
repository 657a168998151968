import * as tf from "@tensorflow/tfjs";
import { releaseValues } from "../compute/backend.ts";

/**
 * Splits `[count * rows, columns]` into `count` tensors of `[rows, columns]`. The WASM backend's
 * own split copies the whole input once for each part; this copies it once.
 */
export function splitRows(x: tf.Tensor2D, count: number): tf.Tensor2D[] {
  if (count === 1) return [x];
  const [total, columns] = x.shape;
  const rows = total / count;
  if (tf.getBackend() === "webgpu") return tf.split(x, count, 0);
  const values = x.dataSync<"float32">();
  const size = rows * columns;
  const parts = Array.from(
    { length: count },
    (_, part) => tf.tensor2d(values.subarray(part * size, (part + 1) * size), [rows, columns]),
  );
  releaseValues(values);
  return parts;
}
