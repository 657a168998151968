import assert from "node:assert";
import type { TextTokenizer } from "../../data/mod.ts";
import { useBackend } from "../compute/backend.ts";
import { generateText, generateTokens, type GenerationOptions } from "./generate.ts";
import { KeyValueCache } from "../layers/key_value_cache.ts";
import { createLanguageModel, type LanguageModel } from "./language_model.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { indexOfLargest } from "../scores/token_scores.ts";
import { smallLlama } from "../testdata/small_llama.ts";

const gpt2 = { model_type: "gpt2", n_embd: 16, n_head: 2, n_layer: 2, n_positions: 32 };
const llama = { ...smallLlama, max_position_embeddings: 32 };

function createModel(config: Record<string, unknown>): LanguageModel {
  const complete = { ...config, vocab_size: 20 };
  return createLanguageModel(complete, randomStateDict(complete, 4));
}

async function take(
  model: LanguageModel,
  prompt: Int32Array,
  count: number,
  options: GenerationOptions,
): Promise<number[]> {
  const tokens: number[] = [];
  for await (const token of generateTokens(model, prompt, options)) {
    tokens.push(token);
    if (tokens.length === count) break;
  }
  return tokens;
}

const qwen3 = { ...llama, model_type: "qwen3", head_dim: 4 };
const mistral = { ...llama, model_type: "mistral", sliding_window: 3 };
const gptNeoX = { ...llama, model_type: "gpt_neox", rotary_pct: 0.5 };

for (const config of [gpt2, llama, qwen3, mistral, gptNeoX]) {
  Deno.test(`the cache of ${config.model_type} does not change the logits`, async () => {
    await useBackend("wasm");
    const model = createModel(config);
    const ids = Int32Array.of(5, 3, 8, 1, 19, 5, 5, 0);
    const whole = model.logits(Int32Array.of(...ids, ...ids.toReversed()), 2);
    const expected = whole.dataSync<"float32">();
    const cache = new KeyValueCache(2);
    for (const [start, end] of [[0, 3], [3, 4], [4, 5], [5, 7], [7, 8]] as const) {
      const part = ids.slice(start, end);
      const other = ids.toReversed().slice(start, end);
      const found = model.logits(Int32Array.of(...part, ...other), 2, { cache })
        .dataSync<"float32">();
      for (let sequence = 0; sequence < 2; sequence++) {
        for (let i = 0; i < part.length * 20; i++) {
          const reference = expected[(sequence * 8 + start) * 20 + i]!;
          assert.ok(Math.abs(found[sequence * part.length * 20 + i]! - reference) < 1e-5);
        }
      }
    }
    cache.dispose();
  });
}

Deno.test("at temperature 0 each token is the most likely one", async () => {
  await useBackend("wasm");
  const model = createModel(gpt2);
  const sequence = [5, 3, 8];
  for (const token of await take(model, Int32Array.of(...sequence), 20, { temperature: 0 })) {
    const logits = model.logits(Int32Array.from(sequence)).dataSync<"float32">();
    assert.equal(token, indexOfLargest(logits.subarray(-20)));
    sequence.push(token);
  }
});

Deno.test("generation goes on beyond the context and frees its cache", async () => {
  await useBackend("wasm");
  const { memory } = await import("@tensorflow/tfjs");
  const model = createModel(gpt2);
  model.logits(Int32Array.of(1)).dispose();
  const before = memory().numTensors;
  assert.equal((await take(model, Int32Array.of(1), 70, { seed: 2 })).length, 70);
  assert.equal((await take(model, new Int32Array(40), 3, { seed: 2 })).length, 3);
  assert.equal(memory().numTensors, before);
});

Deno.test("the seed decides, the end token ends, an empty prompt is refused", async () => {
  await useBackend("wasm");
  const model = createModel(gpt2);
  const prompt = Int32Array.of(1, 2);
  const first = await take(model, prompt, 12, { seed: 3 });
  assert.deepEqual(await take(model, prompt, 12, { seed: 3 }), first);
  assert.notDeepEqual(await take(model, prompt, 12, { seed: 4 }), first);
  const end = first.indexOf(first[5]!);
  const ended = await take(model, prompt, 12, { seed: 3, eosTokenId: first[5]! });
  assert.deepEqual(ended, first.slice(0, end));
  const ends = [first[5]!, first[3]!];
  const soonest = Math.min(...ends.map((id) => first.indexOf(id)));
  const endedByOne = await take(model, prompt, 12, { seed: 3, eosTokenId: ends });
  assert.deepEqual(endedByOne, first.slice(0, soonest));
  await assert.rejects(take(model, new Int32Array(0), 1, {}), /prompt is empty/);
});

Deno.test("generateText() returns what was added to the prompt", async () => {
  await useBackend("wasm");
  const letters = "abcdefghijklmnopqrst";
  const tokenizer: TextTokenizer = {
    vocabularySize: 20,
    bosTokenId: 0,
    eosTokenId: 0,
    addsBos: false,
    encode: (text) => Int32Array.from(text, (letter) => letters.indexOf(letter)),
    decode: (ids) => Array.from(ids, (id) => letters[id]!).join(""),
  };
  const model = createModel(gpt2);
  const options = { maxTokens: 8, seed: 5 };
  const text = await generateText(model, tokenizer, "cab", options);
  assert.ok(text.length > 0 && text.length <= 8);
  assert.equal(await generateText(model, tokenizer, "cab", options), text);
  assert.ok((await generateText(model, tokenizer, "", options)).length <= 8);
  assert.equal(await generateText(model, tokenizer, "cab", { maxTokens: 0 }), "");

  // The config's list of end tokens counts, and not only the tokenizer's one.
  const [first, second] = [text, letters].map((from) => letters.indexOf(from[1] ?? "b"));
  const ending = createModel({ ...gpt2, eos_token_id: [second, first] });
  const shorter = await generateText(ending, tokenizer, "cab", options);
  assert.ok(shorter.length < text.length && text.startsWith(shorter), `${shorter} of ${text}`);
});
