import assert from "node:assert";
import * as tf from "@tensorflow/tfjs";
import { createRandom } from "../../kan/numeric/random.ts";
import { useBackend } from "../compute/backend.ts";
import { layerKernels, startKernels } from "./layer_kernels.ts";
import { multiply } from "./multiply.ts";

await useBackend("wasm");

/** Rows, terms and columns: below, at and beyond whole tiles and blocks. */
const shapes = [
  [1, 1, 1],
  [3, 5, 7],
  [4, 256, 12],
  [97, 257, 13],
  [100, 300, 490],
  [5, 8, 481],
  [193, 64, 96],
] as const;

Deno.test("products with whole and cut tiles, transposed or not, are those of float64", () => {
  const kernels = layerKernels()!;
  const random = createRandom(1);
  const values = (length: number) => Float32Array.from({ length }, () => random.normal());
  for (const [rows, depth, columns] of shapes) {
    const [a, b, bias] = [values(rows * depth), values(depth * columns), values(columns)];
    for (const transposed of [false, true]) {
      for (const hasBias of [false, true]) {
        const before = tf.memory().numTensors;
        const product = tf.tidy(() =>
          multiply(
            kernels,
            tf.tensor2d(a, [rows, depth]),
            {
              tensor: tf.tensor2d(b, transposed ? [columns, depth] : [depth, columns]),
              transposed,
            },
            hasBias ? tf.tensor1d(bias) : undefined,
          )
        );
        const actual = product.dataSync();
        product.dispose();
        assert.equal(tf.memory().numTensors, before);
        for (let row = 0; row < rows; row++) {
          for (let column = 0; column < columns; column++) {
            let sum = hasBias ? bias[column]! : 0, size = Math.abs(sum);
            for (let i = 0; i < depth; i++) {
              const term = a[row * depth + i]! *
                b[transposed ? column * depth + i : i * columns + column]!;
              sum += term;
              size += Math.abs(term);
            }
            const error = Math.abs(actual[row * columns + column]! - sum);
            assert.ok(error <= 1e-6 * size, `${rows}x${depth}x${columns}, ${row}, ${column}`);
          }
        }
      }
    }
  }
});

Deno.test("products that are to be alike on every machine round each term and each sum", () => {
  const kernels = startKernels(true)!;
  const random = createRandom(2);
  const values = (length: number) => Float32Array.from({ length }, () => random.normal());
  for (const [rows, depth, columns] of shapes) {
    const a = values(rows * depth), b = values(depth * columns);
    const product = tf.tidy(() =>
      multiply(kernels, tf.tensor2d(a, [rows, depth]), {
        tensor: tf.tensor2d(b, [depth, columns]),
        transposed: false,
      })
    );
    const expected = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < depth; i++) {
        for (let column = 0; column < columns; column++) {
          // Storing rounds the sum.
          expected[row * columns + column]! += Math.fround(
            a[row * depth + i]! * b[i * columns + column]!,
          );
        }
      }
    }
    assert.deepEqual(product.dataSync<"float32">(), expected, `${rows}x${depth}x${columns}`);
    product.dispose();
  }
});
