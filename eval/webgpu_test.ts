import assert from "node:assert";
import { existsSync } from "node:fs";
import { openModel } from "../data/mod.ts";
import { needsWebGpu } from "../kan/testdata/needs_webgpu.ts";
import type { ModelConfig } from "./architectures/config.ts";
import { readValues, useBackend } from "./compute/backend.ts";
import { calibrate } from "./calibration/calibrate.ts";
import { sampleTokens } from "./calibration/sample_tokens.ts";
import { evaluateLanguageModel } from "./measure/evaluate.ts";
import { generateTokens } from "./generation/generate.ts";
import {
  createLanguageModel,
  type LanguageModel,
  loadLanguageModel,
} from "./generation/language_model.ts";
import { randomStateDict } from "./testdata/random_model.ts";
import { smallLlama } from "./testdata/small_llama.ts";

const llama = { ...smallLlama, max_position_embeddings: 32, vocab_size: 50 };
const configs: Record<string, ModelConfig> = {
  gpt2: {
    model_type: "gpt2",
    n_embd: 16,
    n_head: 2,
    n_layer: 2,
    n_positions: 32,
    vocab_size: 50,
  },
  llama,
  mistral: { ...llama, model_type: "mistral", sliding_window: 5 },
  qwen3: { ...llama, model_type: "qwen3", head_dim: 4 },
  gpt_neox: { ...llama, model_type: "gpt_neox", rotary_pct: 0.5, hidden_act: "gelu" },
  distilbert: {
    model_type: "distilbert",
    architectures: ["DistilBertForMaskedLM"],
    dim: 16,
    hidden_dim: 24,
    n_heads: 2,
    n_layers: 2,
    max_position_embeddings: 32,
    vocab_size: 50,
  },
};

async function logitsOf(model: LanguageModel, ids: Int32Array, batch: number) {
  const logits = model.logits(ids, batch);
  const values = await readValues(logits);
  logits.dispose();
  return values;
}

function assertClose(found: Float32Array, expected: ArrayLike<number>): void {
  assert.equal(found.length, expected.length);
  let [worst, largest] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  assert.ok(worst <= 1e-4 * largest, `${worst} of ${largest}`);
}

for (const [name, config] of Object.entries(configs)) {
  Deno.test({
    name: `logits of ${name} on WebGPU are those on WebAssembly`,
    ...needsWebGpu,
    async fn() {
      const weights = randomStateDict(config, 1);
      const ids = Int32Array.from({ length: 24 }, (_, i) => 7 * i % 50);
      await useBackend("wasm");
      const expected = await logitsOf(createLanguageModel(config, weights), ids, 2);
      await useBackend("webgpu");
      assertClose(await logitsOf(createLanguageModel(config, weights), ids, 2), expected);
    },
  });
}

for (const [name, config] of Object.entries(configs)) {
  if (config["model_type"] === "distilbert") continue;
  Deno.test({
    name: `${name} writes on WebGPU what it writes on WebAssembly`,
    ...needsWebGpu,
    async fn() {
      const weights = randomStateDict(config, 1);
      const written = [];
      for (const backend of ["wasm", "webgpu"] as const) {
        await useBackend(backend);
        const model = createLanguageModel(config, weights);
        const tokens = [];
        for await (
          const token of generateTokens(model, Int32Array.of(3, 1, 4), { temperature: 0 })
        ) {
          // Beyond the context, too.
          if (tokens.push(token) === 40) break;
        }
        model.dispose();
        written.push(tokens);
      }
      assert.deepEqual(written[1], written[0]);
    },
  });
}

Deno.test({
  name: "sequences drawn on WebGPU are those that WebAssembly draws",
  ...needsWebGpu,
  async fn() {
    for (const name of ["gpt2", "llama", "qwen3"]) {
      const config = configs[name]!;
      const weights = randomStateDict(config, 1);
      const options = { config, weights, sequences: 40, length: 12, seed: 3, threads: 1 };
      const shares: number[] = [];
      const onProgress = (share: number) => shares.push(share);
      const found = await sampleTokens({ ...options, backend: "webgpu", onProgress });
      assert.deepEqual(found, await sampleTokens({ ...options, backend: "wasm" }));
      assert.equal(shares.at(-1), 1);
    }
    const signal = AbortSignal.abort(new Error("stopped"));
    const weights = randomStateDict(llama, 1);
    const options = { config: llama, weights, sequences: 2, length: 5, backend: "webgpu" as const };
    await assert.rejects(sampleTokens({ ...options, signal }), /stopped/);
  },
});

Deno.test({
  name: "evaluation on WebGPU gives the figures of WebAssembly",
  ...needsWebGpu,
  async fn() {
    const config = configs["gpt2"]!;
    const [original, compressed] = [randomStateDict(config, 1), randomStateDict(config, 2)];
    const tokens = Int32Array.from({ length: 100 }, (_, i) => 11 * i % 50);
    const options = { config, original, compressed, tokens, threads: 1 };
    const [wasm, webgpu] = [
      await evaluateLanguageModel({ ...options, backend: "wasm" }),
      await evaluateLanguageModel({ ...options, backend: "webgpu" }),
    ];
    assert.ok(Math.abs(webgpu.perplexity.original / wasm.perplexity.original - 1) < 1e-4);
    assert.ok(Math.abs(webgpu.klDivergence!.mean / wasm.klDivergence!.mean - 1) < 1e-4);
    assert.equal(webgpu.sameTop1!.share, wasm.sameTop1!.share);
  },
});

Deno.test({
  name: "calibration on WebGPU finds the statistics of WebAssembly",
  ...needsWebGpu,
  async fn() {
    const config = configs["gpt2"]!;
    const weights = randomStateDict(config, 1);
    const tokens = Int32Array.from({ length: 64 }, (_, i) => 11 * i % 50);
    const options = { config, weights, tokens, contextLength: 32, threads: 1 };
    const wasm = await calibrate({ ...options, backend: "wasm" });
    const webgpu = await calibrate({ ...options, backend: "webgpu" });
    assert.deepEqual([...webgpu.linears.keys()], [...wasm.linears.keys()]);
    for (const [name, { hessian, fisher }] of wasm.linears) {
      const found = webgpu.linears.get(name)!;
      assertClose(Float32Array.from(found.hessian), hessian);
      assertClose(Float32Array.from(found.fisher!), fisher!);
    }
  },
});

const fixtures = new URL("../../shared/fixtures/", import.meta.url).pathname;

for (const { name } of existsSync(fixtures) ? Deno.readDirSync(fixtures) : []) {
  if (!existsSync(`${fixtures}${name}/expected.json`)) continue;
  if (!existsSync(`${fixtures}${name}/expected.json`)) continue;
  Deno.test({
    name: `logits of ${name} on WebGPU agree with transformers`,
    ...needsWebGpu,
    async fn() {
      await useBackend("webgpu");
      const expected = JSON.parse(await Deno.readTextFile(`${fixtures}${name}/expected.json`));
      const model = await loadLanguageModel(await openModel(fixtures + name));
      const ids: number[][] = expected.input_ids;
      assertClose(await logitsOf(model, Int32Array.from(ids.flat()), 2), expected.logits);
    },
  });
}
