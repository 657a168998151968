import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { encodeOnnxModel } from "../../data/onnx/onnx_model.ts";
import { openModel } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { needsEngines } from "../../interop/needs_engines.ts";
import { type EngineName, startEngine } from "../../interop/start_engine.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { readStateDict } from "../weights/read_state_dict.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import {
  architectureCases,
  architectureTokens,
  formulaWeights,
} from "../testdata/architecture_models.ts";
import { rotaryCases, rotaryTokens, rotaryWeights } from "../testdata/rotary_models.ts";
import { languageModelGraph } from "./language_model_graph.ts";

const fixtures = new URL("../../../shared/fixtures/", import.meta.url).pathname;
const causal = [
  "gpt2-random",
  "gpt2-random-f16-sharded",
  "gptneox-random",
  "llama-random",
  "llama-random-bf16-ropescaled",
  "qwen2-random",
  "qwen3-random",
];

/** Logits that ONNX Runtime finds. */
async function engineLogits(
  name: EngineName,
  source: { config: ModelConfig; weights: Parameters<typeof languageModelGraph>[1] },
  tokens: readonly number[],
  batch: number,
): Promise<Float32Array> {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "model.onnx");
  const graph = languageModelGraph(source.config, source.weights, { cache: false });
  await Deno.writeFile(path, ReadableStream.from(encodeOnnxModel(graph)));
  const engine = await startEngine(name, path);
  try {
    const { values } = await engine.run({ tokens, labels: tokens, batch, wants: "logits" });
    return values;
  } finally {
    await engine.close();
  }
}

function assertClose(found: Float32Array, expected: ArrayLike<number>): void {
  assert.equal(found.length, expected.length);
  const largest = Array.from(expected).reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  const worst = found.reduce((max, value, i) => Math.max(max, Math.abs(value - expected[i]!)), 0);
  assert.ok(worst <= 1e-4 * largest, `${worst} of ${largest}`);
}

for (const fixture of causal) {
  Deno.test({
    name: `onnxruntime-node agrees with transformers on ${fixture}`,
    ignore: needsEngines.ignore || !existsSync(fixtures),
    async fn() {
      const expected = JSON.parse(await Deno.readTextFile(`${fixtures}${fixture}/expected.json`));
      const source = await openModel(fixtures + fixture);
      const model = { config: source.config, weights: await readStateDict(source) };
      const ids: number[][] = expected.input_ids;
      assertClose(
        await engineLogits("onnxruntime-node", model, ids.flat(), ids.length),
        expected.logits,
      );
    },
  });
}

for (const { name, config, logits } of rotaryCases) {
  Deno.test({
    name: `onnxruntime-node agrees with transformers on rotary positions: ${name}`,
    ignore: needsEngines.ignore,
    async fn() {
      for (const { length, last } of logits) {
        const tokens = rotaryTokens.slice(0, length);
        const model = { config, weights: rotaryWeights };
        const found = await engineLogits("onnxruntime-node", model, [...tokens], 1);
        assertClose(found.slice(-last.length), last);
      }
    },
  });
}

for (const { name, config, logits } of architectureCases) {
  Deno.test({
    name: `onnxruntime-node agrees with transformers on ${name}`,
    ignore: needsEngines.ignore,
    async fn() {
      const model = { config, weights: formulaWeights(config) };
      for (const { length, values } of logits) {
        const ids = [...architectureTokens.subarray(0, length)];
        assertClose(await engineLogits("onnxruntime-node", model, ids, 1), values);
      }
    },
  });
}

const tokens = Array.from({ length: 64 }, (_, i) => (i * 977 + 31) % 4096);

for (const name of ["onnxruntime-node", "onnxruntime-web"] as const) {
  Deno.test({
    ...needsEngines,
    name: `${name} agrees with the embedded model`,
    async fn() {
      await useBackend("wasm");
      const source = await openModel();
      const weights = await readStateDict(source);
      const model = createLanguageModel(source.config, weights);
      const logits = model.logits(Int32Array.from(tokens), 2);
      const found = await engineLogits(name, { config: source.config, weights }, tokens, 2);
      assertClose(found, await logits.data());
      logits.dispose();
      model.dispose();
    },
  });
}

Deno.test({
  ...needsEngines,
  name: "a sliding window and grouped heads are written",
  async fn() {
    await useBackend("wasm");
    const config = {
      model_type: "mistral",
      hidden_size: 32,
      intermediate_size: 48,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      num_hidden_layers: 2,
      max_position_embeddings: 32,
      sliding_window: 5,
      vocab_size: 50,
    };
    const weights = randomStateDict(config, 3);
    const model = createLanguageModel(config, weights);
    const ids = tokens.slice(0, 24).map((id) => id % 50);
    const logits = model.logits(Int32Array.from(ids), 2);
    assertClose(
      await engineLogits("onnxruntime-node", { config, weights }, ids, 2),
      await logits.data(),
    );
    logits.dispose();
    model.dispose();
  },
});

Deno.test("every name that a node reads was given or made before", async () => {
  const source = await openModel();
  const { inputs, outputs, tensors, nodes } = languageModelGraph(
    source.config,
    await readStateDict(source),
  );
  const known = new Set([...inputs, ...tensors].map(({ name }) => name));
  for (const { operator, inputs, outputs } of nodes) {
    for (const name of inputs) assert.ok(known.has(name), `${operator} reads ${name}`);
    for (const name of outputs) {
      assert.ok(!known.has(name), `${name} is made twice`);
      known.add(name);
    }
  }
  for (const { name } of outputs) assert.ok(known.has(name), name);
  assert.equal(outputs.length, 1 + 2 * Number(source.config.n_layer));
});

for (const fixture of ["distilbert-mlm-random", "distilbert-classify-random"]) {
  Deno.test({
    name: `onnxruntime-node agrees with transformers on ${fixture}, filled up too`,
    ignore: needsEngines.ignore || !existsSync(fixtures),
    async fn() {
      const expected = JSON.parse(await Deno.readTextFile(`${fixtures}${fixture}/expected.json`));
      const source = await openModel(fixtures + fixture);
      const weights = await readStateDict(source);
      using folder = new TemporaryFolder();
      const path = join(folder.path, "model.onnx");
      const graph = languageModelGraph(source.config, weights);
      assert.deepEqual(graph.inputs.map(({ name }) => name), ["input_ids", "attention_mask"]);
      await Deno.writeFile(path, ReadableStream.from(encodeOnnxModel(graph)));
      const engine = await startEngine("onnxruntime-node", path);
      const run = async (rows: readonly number[][], mask: readonly number[]) => {
        const tokens = rows.flat();
        return (await engine.run({
          tokens,
          labels: tokens,
          batch: rows.length,
          mask,
          wants: "logits",
        }))
          .values;
      };
      const [first, second]: number[][] = expected.input_ids;
      const whole = await run([first!, second!], [...first!, ...second!].map(() => 1));
      assertClose(whole, expected.logits);
      // The first five tokens of a text, filled up beside the whole of another.
      const short = [...first!.slice(0, 5), ...first!.slice(5).map(() => 0)];
      const both = await run([short, second!], [
        ...short.map((_, i) => i < 5 ? 1 : 0),
        ...second!.map(() => 1),
      ]);
      const alone = await run([first!.slice(0, 5)], [1, 1, 1, 1, 1]);
      assertClose(both.slice(0, alone.length), alone);
      assertClose(both.slice(both.length / 2), [...whole.slice(whole.length / 2)]);
      await engine.close();
    },
  });
}
