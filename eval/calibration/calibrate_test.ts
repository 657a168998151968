import assert from "node:assert";
import type * as tf from "@tensorflow/tfjs";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { calibrate } from "./calibrate.ts";
import { smallLlama } from "../testdata/small_llama.ts";

const config: ModelConfig = smallLlama;
const weights = randomStateDict(config, 1);
const random = createRandom(5);
const tokens = Int32Array.from({ length: 2700 }, () => random.integer(20));
const options = { config, weights, tokens, contextLength: 128, seed: 3 };

Deno.test("calibration does not depend on the number of workers", async () => {
  const shares: number[] = [];
  const one = await calibrate({ ...options, threads: 1, onProgress: (s) => shares.push(s) });
  const two = await calibrate({ ...options, threads: 2 });
  for (const share of [1 / 3, 2 / 3, 1]) assert.ok(shares.includes(share), `${shares}`);
  assert.deepEqual(shares, [...new Set(shares)].toSorted((a, b) => a - b));
  assert.equal(one.tokens, 21 * 128);
  assert.deepEqual([...one.linears.keys()], [...two.linears.keys()]);
  for (const [name, linear] of one.linears) {
    assert.deepEqual(linear.hessian, two.linears.get(name)!.hessian);
    assert.deepEqual(linear.fisher, two.linears.get(name)!.fisher);
    const [moments, others] = [one, two].map(({ linears }) =>
      linears.get(name)!.outputMoments?.map(({ start, moment }) => ({ start, moment }))
    );
    assert.deepEqual(moments, others);
  }
  assert.deepEqual(one.embeddingMoment, two.embeddingMoment);
  assert.deepEqual(one.tokenFrequencies, two.tokenFrequencies);
});

Deno.test("Hessians are the second moments of the layers' inputs", async () => {
  await useBackend("wasm");
  const { linears, tokenFrequencies, embeddingMoment } = await calibrate({
    ...options,
    tokens: tokens.subarray(0, 32),
    contextLength: 16,
    bosTokenId: 7,
    fisher: false,
    threads: 1,
  });
  const ids = Int32Array.of(7, ...tokens.subarray(0, 15), 7, ...tokens.subarray(16, 31));
  const seen = new Map<string, number[][]>();
  const model = createLanguageModel(config, weights);
  const tap = {
    input: (name: string, x: tf.Tensor2D) => void seen.set(name, x.arraySync()),
  };
  model.logits(ids, 2, { tap });
  assert.deepEqual([...seen.keys()].sort(), [...linears.keys()].sort());
  for (const [name, rows] of seen) {
    const size = rows[0]!.length;
    const { hessian, fisher, inputAxis } = linears.get(name)!;
    assert.equal(fisher, undefined);
    assert.equal(inputAxis, 1);
    assert.equal(hessian.length, size * size);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const expected = rows.reduce((sum, x) => sum + x[i]! * x[j]!, 0) / rows.length;
        assert.ok(Math.abs(hessian[i * size + j]! - expected) < 1e-5 * (1 + Math.abs(expected)));
      }
    }
  }
  const query = linears.get("model.layers.0.self_attn.q_proj.weight")!;
  assert.deepEqual(query.sharedWith, [
    "model.layers.0.self_attn.k_proj.weight",
    "model.layers.0.self_attn.v_proj.weight",
  ]);
  assert.equal(tokenFrequencies[7], ids.filter((id) => id === 7).length / 32);
  assert.equal(embeddingMoment, undefined);
});

Deno.test("the seed decides which labels are drawn", async () => {
  const short = { ...options, tokens: tokens.subarray(0, 128), threads: 1 };
  const [first, second] = [await calibrate(short), await calibrate({ ...short, seed: 4 })];
  assert.notDeepEqual(first.embeddingMoment, second.embeddingMoment);
  const head = "lm_head.weight";
  assert.deepEqual(first.linears.get(head)!.fisher, second.linears.get(head)!.fisher);
});

Deno.test("unusable texts are refused and an abort ends the workers", async () => {
  await assert.rejects(
    calibrate({ ...options, tokens: new Int32Array(100) }),
    (error) => error instanceof InputError && /100 tokens, but one chunk/.test(error.message),
  );
  const controller = new AbortController();
  const reason = new Error("enough");
  const running = calibrate({
    ...options,
    threads: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await assert.rejects(running, reason);
});
