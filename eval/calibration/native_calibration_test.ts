import assert from "node:assert";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { needsNative } from "../testdata/needs_native.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { calibrate, type CalibrateOptions } from "./calibrate.ts";
import type { Calibration } from "./calibration.ts";

const llama = {
  model_type: "llama",
  hidden_size: 48,
  intermediate_size: 136,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 256,
  vocab_size: 301,
};
const gpt2 = {
  model_type: "gpt2",
  n_embd: 48,
  n_head: 4,
  n_layer: 2,
  n_positions: 256,
  vocab_size: 2301,
};
const configs: Record<string, ModelConfig> = {
  "llama with biases and wide layers": {
    ...llama,
    attention_bias: true,
    mlp_bias: true,
    intermediate_size: 1160,
  },
  "mistral with a window": { ...llama, model_type: "mistral", sliding_window: 37 },
  "qwen3, tied": { ...llama, model_type: "qwen3", head_dim: 20, tie_word_embeddings: true },
  "gpt2, a head in parts": gpt2,
  "gpt2 with gelu": { ...gpt2, activation_function: "gelu" },
  "gpt2 with quick_gelu": { ...gpt2, activation_function: "quick_gelu" },
  "gpt2 with relu": { ...gpt2, activation_function: "relu" },
  "gpt_neox in parallel": {
    ...llama,
    model_type: "gpt_neox",
    num_attention_heads: 4,
    rotary_pct: 0.5,
  },
};

const tokens = Int32Array.from({ length: 620 }, (_, i) => (i * i * 7 + 11 * i) % 301);

/** The largest difference as a share of the largest number. */
function difference(expected: ArrayLike<number>, found: ArrayLike<number>): number {
  assert.equal(found.length, expected.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

function assertSame(expected: Calibration, found: Calibration, tolerance = 1e-5): void {
  assert.deepEqual([...found.linears.keys()], [...expected.linears.keys()]);
  for (const [weight, { hessian, fisher, outputMoments }] of expected.linears) {
    const own = found.linears.get(weight)!;
    const pairs = [
      [hessian, own.hessian],
      [fisher ?? [1], own.fisher ?? [1]],
      ...(outputMoments ?? []).map(({ moment }, index) =>
        [moment, own.outputMoments![index]!.moment] as const
      ),
    ] as const;
    for (const [a, b] of pairs) {
      const apart = difference(a, b);
      assert.ok(apart < tolerance, `${weight}: ${apart}`);
    }
  }
  const { embeddingMoment } = expected;
  if (embeddingMoment === undefined) return;
  assert.ok(difference(embeddingMoment, found.embeddingMoment!) < tolerance);
}

for (const [name, config] of Object.entries(configs)) {
  // Without gradients the activation's slope does not matter.
  for (const fisher of name.startsWith("gpt2 with") ? [true] : [true, false]) {
    Deno.test({
      name: `the native engine finds the statistics of WebAssembly${
        fisher ? "" : " forward"
      }: ${name}`,
      ...needsNative,
      async fn() {
        const weights = randomStateDict(config, 1);
        const options: CalibrateOptions = { config, weights, tokens, contextLength: 150, fisher };
        const wasm = await calibrate({ ...options, threads: 1 });
        assertSame(wasm, await calibrate({ ...options, backend: "native", threads: 2 }));
      },
    });
  }
}

for (const { name, config } of architectureCases) {
  const weights = formulaWeights(config);
  if (describeModel(config, weights.keys()).objective !== "nextToken") continue;
  Deno.test({
    name: `the native engine finds the statistics of WebAssembly: ${name}`,
    ...needsNative,
    async fn() {
      const contextLength = Math.min(
        architectureTokens.length,
        describeModel(config, weights.keys()).contextLength,
      );
      const options = { config, weights, tokens: architectureTokens, contextLength };
      const wasm = await calibrate({ ...options, threads: 1 });
      const native = await calibrate({ ...options, backend: "native", threads: 2 });
      // Over so few tokens, rounding does not average out.
      assertSame(wasm, native, 3e-5);
    },
  });
}

Deno.test({
  name: "threads of the native engine change roundings alone, and a second run nothing",
  ...needsNative,
  async fn() {
    const config = configs["llama with biases and wide layers"]!;
    const weights = randomStateDict(config, 1);
    const run = (threads: number) =>
      calibrate({
        config,
        weights,
        tokens,
        contextLength: 150,
        backend: "native",
        threads,
      });
    const alone = await run(1);
    for (const threads of [2, 8]) {
      const found = await run(threads);
      assertSame(alone, found, 2e-6);
      assertSame(found, await run(threads), Number.MIN_VALUE);
    }
  },
});

Deno.test({
  name: "calibration on the native engine stops between jobs, and tells how far it is",
  ...needsNative,
  async fn() {
    const weights = randomStateDict(gpt2, 1);
    const stop = new AbortController();
    const shares: number[] = [];
    await assert.rejects(
      calibrate({
        config: gpt2,
        weights,
        tokens,
        contextLength: 30,
        backend: "native",
        signal: stop.signal,
        onProgress: (share) => {
          shares.push(share);
          stop.abort(new Error("stopped"));
        },
      }),
      /stopped/,
    );
    assert.deepEqual(shares, [510 / 600]);
  },
});
