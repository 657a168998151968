import assert from "node:assert";
import type { WeightTensor } from "../data/tensor.ts";
import { transpose } from "../data/transpose.ts";
import { BASELINES } from "./baselines.ts";
import { compressWithBaseline } from "./compress_with_baseline.ts";
import { randomHessian, randomMatrix } from "./testdata/random_matrix.ts";

const f32 = (shape: number[], data: Float32Array): WeightTensor => ({ dtype: "F32", shape, data });

Deno.test("matrices are coded along their inputs, vectors kept in f16, tied ones stored once", () => {
  const matrix = randomMatrix(96, 32, 1).data;
  const vector = Float32Array.of(0.1, 0.2, 0.3);
  const dict = new Map([
    ["embedding", f32([96, 32], matrix)],
    ["norm", f32([3], vector)],
    ["conv1d", f32([32, 96], transpose(matrix, 96, 32).map((value) => 2 * value))],
    ["head", f32([96, 32], matrix.slice())],
  ]);
  const inputsFirst = new Set(["conv1d"]);
  const model = compressWithBaseline(dict, BASELINES.get("q4_0")!, { inputsFirst });
  assert.deepEqual([...model.weights.keys()], [...dict.keys()]);
  assert.equal(model.parameters, 2 * 96 * 32 + 3);
  const streams = 2 * 96 * 18 + 6;
  assert.ok(model.bytes > streams + 100 && model.bytes < streams + 250);
  assert.equal(model.bitsPerWeight, 8 * model.bytes / model.parameters);
  const [embedding, conv1d] = ["embedding", "conv1d"].map((name) => model.weights.get(name)!.data);
  assert.deepEqual(transpose(conv1d!, 32, 96), embedding!.map((value) => 2 * value));
  assert.equal(model.weights.get("head")!.data, embedding);
  assert.deepEqual(model.weights.get("norm")!.data, vector.map(Math.f16round));
});

Deno.test("what holds the original in 16 bits does not pass for the quantized values", () => {
  const { data } = randomMatrix(32, 96, 1);
  const held = (shape: number[], values: Float32Array): WeightTensor => ({
    ...f32(shape, values),
    half: { dtype: "F16", patterns: new Uint16Array(new Float16Array(values).buffer) },
  });
  const dict = new Map([["w", held([32, 96], data)], ["norm", held([3], data.slice(0, 3))]]);
  const { weights } = compressWithBaseline(dict, BASELINES.get("nf4")!);
  assert.ok([...weights.values()].every(({ half }) => half === undefined));
  assert.notDeepEqual(weights.get("w")!.data, data);
});

Deno.test("metrics say which axis runs over the inputs, and must fit", () => {
  const matrix = randomMatrix(32, 96, 1).data;
  const dict = new Map([["w", f32([32, 96], matrix)]]);
  const hessian = randomHessian(32, 100, 2);
  const gptq = BASELINES.get("gptq-4-g32")!;
  const metrics = new Map([["w", { inputAxis: 0 as const, hessian }]]);
  const { weights } = compressWithBaseline(dict, gptq, { metrics });
  const plain = compressWithBaseline(dict, gptq, { inputsFirst: new Set(["w"]) }).weights;
  assert.notDeepEqual(weights.get("w")!.data, plain.get("w")!.data);
  const wrong = new Map([["w", { inputAxis: 1 as const, hessian }]]);
  assert.throws(() => compressWithBaseline(dict, gptq, { metrics: wrong }), {
    name: "InputError",
    message: /^w: /,
  });
});
