import assert from "node:assert";
import { GGUF_TYPES } from "./gguf.ts";
import { meanSquaredError, randomMatrix } from "./testdata/random_matrix.ts";

/** Weights and bytes of a block, weights that share a scale, how many values, a Gaussian's error. */
const FORMATS = [
  { type: "q8_0", block: 32, bytes: 34, subBlock: 32, integers: 255, error: 4e-5 },
  { type: "q4_0", block: 32, bytes: 18, subBlock: 32, integers: 16, error: 0.0072 },
  { type: "q6_k", block: 256, bytes: 210, subBlock: 16, integers: 64, error: 4e-4 },
  { type: "q5_k", block: 256, bytes: 176, subBlock: 32, integers: 32, error: 0.0014 },
  { type: "q4_k", block: 256, bytes: 144, subBlock: 32, integers: 16, error: 0.0055 },
  { type: "q3_k", block: 256, bytes: 110, subBlock: 16, integers: 8, error: 0.0225 },
  { type: "q2_k", block: 256, bytes: 84, subBlock: 16, integers: 4, error: 0.076 },
] as const;

for (const { type, block, bytes, subBlock, integers, error } of FORMATS) {
  const quantize = GGUF_TYPES.get(type)!;
  Deno.test(`${type} keeps to its block's bytes and integers, with a small error`, () => {
    const weights = randomMatrix(32, 512, 7);
    const result = quantize(weights);
    assert.equal(result.bytes, 32 * (512 / block) * bytes);
    const found = meanSquaredError(result.reconstruction, weights.data);
    assert.ok(found < error && found > 0.6 * error, `mean squared error ${found}`);
    for (let start = 0; start < weights.data.length; start += subBlock) {
      const values = [...new Set(result.reconstruction.subarray(start, start + subBlock))].sort(
        (a, b) => a - b,
      );
      const step = values.slice(1).reduce((least, value, i) => {
        return Math.min(least, value - values[i]!);
      }, Infinity);
      // Equally spaced: all differences are multiples of a common step, up to float32 rounding.
      const isGrid = [1, 2, 3, 4].some((part) => {
        const places = values.map((value) => (value - values[0]!) / step * part);
        const isWhole = places.every((place) => Math.abs(place - Math.round(place)) < 0.02);
        return isWhole && places.at(-1)! <= integers - 0.5;
      });
      assert.ok(isGrid || values.length < 2, `[${values}]`);
    }
  });

  Deno.test(`${type} pads rows to whole blocks and survives edge cases`, () => {
    const short = quantize(randomMatrix(3, block + 1, 1));
    assert.equal(short.bytes, 3 * 2 * bytes);
    const zero = { name: "zero", rows: 1, columns: 256, data: new Float32Array(256) };
    assert.deepEqual(quantize(zero).reconstruction, zero.data);
    const outlier = { ...zero, data: zero.data.map((_, i) => i === 9 ? 1e4 : 1e-3) };
    const { reconstruction } = quantize(outlier);
    assert.ok(
      Math.abs(reconstruction[9]! / 1e4 - 1) < 0.2 && reconstruction.every(Number.isFinite),
    );
  });
}

Deno.test("errors move to the inputs that matter less", () => {
  const weights = randomMatrix(64, 256, 3);
  const hessian = new Float64Array(256 * 256);
  for (let j = 0; j < 256; j++) hessian[j * 257] = j % 2 === 0 ? 100 : 1;
  for (const type of ["q4_0", "q4_k", "q3_k", "q2_k"]) {
    const quantize = GGUF_TYPES.get(type)!;
    const important = (reconstruction: Float32Array) =>
      weights.data.reduce((sum, value, i) => {
        return i % 2 === 0 ? sum + (value - reconstruction[i]!) ** 2 : sum;
      }, 0);
    const plain = important(quantize(weights).reconstruction);
    const weighted = important(quantize(weights, hessian).reconstruction);
    assert.ok(weighted < 0.95 * plain, `${type}: ${weighted} instead of ${plain}`);
  }
});

Deno.test("Q8_0 of a model of 4.3 million weights takes the bytes that llama.cpp's file does", () => {
  // prose-4m: four layers of width 256, 4,096 tied tokens; positions and vectors in f32.
  const matrices = [
    [4096, 256],
    ...Array(4).fill([[768, 256], [256, 256], [1024, 256], [256, 1024]])
      .flat(),
  ] as [number, number][];
  const coded = matrices.reduce((sum, [rows, columns]) => {
    return sum +
      GGUF_TYPES.get("q8_0")!({ name: "", rows, columns, data: new Float32Array(rows * columns) })
        .bytes;
  }, 0);
  const vectors = 4 * (768 + 256 + 1024 + 256 + 4 * 256) + 2 * 256;
  assert.equal(coded + 4 * (256 * 256 + vectors), 4_773_888);
});
