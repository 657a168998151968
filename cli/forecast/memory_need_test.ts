import assert from "node:assert";
import { describeModel } from "../../eval/architectures/registry.ts";
import { expectedTensors } from "../../eval/weights/expected_tensors.ts";
import {
  chooseMemory,
  measuringBytes,
  memoryNeed,
  type MemoryPlan,
  peakOf,
} from "./memory_need.ts";

/** A Llama-like model of some size, and a plan to compress it. */
function modelOf(hidden: number, layers: number, vocabulary: number) {
  const description = describeModel({
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: 3 * hidden,
    num_attention_heads: hidden / 64,
    num_key_value_heads: hidden / 64,
    num_hidden_layers: layers,
    max_position_embeddings: 2048,
    vocab_size: vocabulary,
    tie_word_embeddings: true,
  }, []);
  const plan: MemoryPlan = {
    tensors: Array.from(
      expectedTensors(description),
      ([name, shape]) => ({ name, shape, dtype: "BF16" as const }),
    ),
    calibrates: true,
    measures: "models",
    backend: "native",
    threads: 2,
  };
  return { description, plan };
}

Deno.test("more passes need less memory to calibrate, and no more for anything else", () => {
  const { description, plan } = modelOf(1024, 24, 50_000);
  for (const backend of ["native", "wasm"] as const) {
    const needs = [undefined, 1, 2, 24].map((passes) =>
      memoryNeed(description, { ...plan, backend }, passes === undefined ? undefined : { passes })
    );
    for (const [i, need] of needs.entries()) {
      if (i === 0) continue;
      const before = needs[i - 1]!;
      assert.ok(need.calibrate < before.calibrate || i === 1);
      assert.ok(need.factor <= before.factor && need.compress <= before.compress);
      assert.ok(peakOf(need) <= peakOf(before));
    }
  }
});

Deno.test("memory is saved only where it is short, and as little as will do", () => {
  const { description, plan } = modelOf(1024, 24, 50_000);
  const need = peakOf(memoryNeed(description, plan));
  assert.equal(chooseMemory(description, plan, need).savings, undefined);
  assert.equal(chooseMemory(description, plan, undefined).savings, undefined);
  const passes = [0.95, 0.5, 0.01].map((share) => {
    const { bytes, savings, line } = chooseMemory(description, plan, share * need);
    assert.match(line!, /^[\d.]+ .B of memory is there, of about [\d.]+ GB: weights/);
    assert.equal(bytes, peakOf(memoryNeed(description, plan, savings)));
    const saved = memoryNeed(description, plan, savings);
    assert.equal(/may not end/.test(line!), peakOf(saved) > share * need);
    const most = Math.max(share * need, saved.compress, saved.evaluate);
    assert.ok(saved.calibrate <= most || savings!.passes === 24);
    return savings!.passes;
  });
  assert.deepEqual(passes, passes.toSorted((a, b) => a - b));
});

Deno.test("fewer threads code where the largest matrices are too much for all of them at once", () => {
  const { description, plan } = modelOf(4096, 4, 50_000);
  const all = memoryNeed(description, plan, { passes: 1 }).compress;
  const one = memoryNeed(description, plan, { passes: 1, codingThreads: 1 }).compress;
  assert.ok(one < all);
  const { savings, line } = chooseMemory(description, plan, (one + all) / 2);
  assert.equal(savings?.codingThreads, 1);
  assert.match(line!, /, and 1 of 2 threads codes/);
  assert.equal(chooseMemory(description, plan, 1.01 * all).savings?.codingThreads, undefined);
});

Deno.test("measuring needs both models, or layers of them and the states of the text", () => {
  const { description, plan: { tensors } } = modelOf(1024, 24, 50_000);
  const weights = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const plan = {
    backend: "native" as const,
    threads: 2,
    checkpoints: [tensors],
    decoded: 0,
    byLayer: false,
    tokens: 8192,
  };
  const alone = measuringBytes(description, plan);
  // Two bytes a weight as stored, four as decoded.
  const pair = measuringBytes(description, { ...plan, decoded: weights });
  assert.ok(alone > 2 * weights && alone < 2 * weights + 1e9);
  assert.ok(pair - alone > 4 * weights && pair - alone < 5 * weights);
  const byLayer = { ...plan, decoded: weights, byLayer: true };
  const layers = measuringBytes(description, byLayer);
  assert.ok(layers < 0.5 * pair);
  // States before and after a layer, of both models, in float32.
  const longer = measuringBytes(description, { ...byLayer, tokens: 2 * 8192 });
  assert.equal(longer - layers, 8192 * 2 * 2 * 4 * 1024);
});
