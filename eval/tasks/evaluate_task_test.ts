import assert from "node:assert";
import type { DataRecord } from "../../data/records.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { useBackend } from "../compute/backend.ts";
import { createLanguageModel } from "../generation/language_model.ts";
import { randomStateDict } from "../testdata/random_model.ts";
import { continuationWindow } from "./encode_continuation.ts";
import { evaluateTask, type TaskOptions } from "./evaluate_task.ts";

const config = {
  model_type: "gpt2",
  n_embd: 16,
  n_head: 2,
  n_layer: 2,
  n_positions: 40,
  vocab_size: 128,
};
const original = randomStateDict(config, 1);
const compressed = randomStateDict(config, 2);
/** Tokens are characters, but "is" is one token. */
const tokenizer: TextTokenizer = {
  vocabularySize: 128,
  bosTokenId: 1,
  eosTokenId: 2,
  addsBos: false,
  encode: (text) =>
    Int32Array.from(text.replaceAll("is", "\u0003"), (letter) => letter.charCodeAt(0)),
  decode: () => "",
};
const run = (options: Pick<TaskOptions, "task" | "records"> & Partial<TaskOptions>) =>
  evaluateTask({ config, original, tokenizer, threads: 1, ...options });

/** Sum of log-likelihoods, and whether greedy decoding gives it, from plain softmaxes. */
async function reference(weights: StateDict, context: string, continuation: string) {
  await useBackend("wasm");
  const model = createLanguageModel(config, weights);
  const ids = [...tokenizer.encode(context + continuation)];
  const count = ids.length - tokenizer.encode(context).length;
  const input = ids.slice(0, -1).slice(-40);
  const rows = model.logits(Int32Array.from(input)).softmax().arraySync() as number[][][];
  let sum = 0;
  let greedy = true;
  for (let i = 0; i < count; i++) {
    const row = rows[0]![input.length - count + i]!;
    const label = ids[ids.length - count + i]!;
    sum += Math.log(row[label]!);
    greedy &&= row[label] === Math.max(...row);
  }
  return { sum, greedy };
}

Deno.test("accuracies of choices are those of independently summed likelihoods", async () => {
  const records = Array.from({ length: 12 }, (_, i) => ({
    goal: `Do thing ${i} quickly, in a way that works${" well".repeat(i % 3)}`,
    sol1: "this is it",
    sol2: `no${"o".repeat(i)} way`,
    label: i % 2,
  }));
  const { metrics, questions, samples } = await run({ task: "piqa", records, compressed });
  assert.equal(questions, 12);
  for (const [which, weights] of [["original", original], ["compressed", compressed]] as const) {
    let [acc, normalized] = [0, 0];
    for (const { goal, sol1, sol2, label } of records) {
      const context = `Question: ${goal}\nAnswer:`;
      const one = await reference(weights, context, ` ${sol1}`);
      const two = await reference(weights, context, ` ${sol2}`);
      acc += Number(Number(two.sum > one.sum) === label);
      normalized += Number(Number(two.sum / sol2.length > one.sum / sol1.length) === label);
    }
    assert.equal(metrics["acc"]![which]!.value, acc / 12);
    assert.equal(metrics["acc_norm"]![which]!.value, normalized / 12);
  }
  const [, second] = samples;
  const request = { context: "Question: " + records[1]!.goal + "\nAnswer:" };
  assert.deepEqual({ ...second, original: 0, compressed: 0 }, {
    question: 2,
    record: records[1],
    requests: [
      { ...request, continuation: " this is it" },
      { ...request, continuation: " noo way" },
    ],
    answer: 1,
    original: 0,
    compressed: 0,
  });
  const { sum, greedy } = await reference(compressed, request.context, " noo way");
  assert.ok(Math.abs(second!.compressed!.logLikelihoods[1]! - sum) < 1e-4);
  assert.equal(second!.compressed!.isGreedy[1], greedy);
  const right = samples.filter(({ original }) => original.metrics["acc_norm"] === 1);
  assert.equal(right.length / 12, metrics["acc_norm"]!.original.value);
  const { value, standardError } = metrics["acc"]!.original;
  assert.ok(Math.abs(standardError - Math.sqrt(value * (1 - value) / 11)) < 1e-12);
  const change = metrics["acc"]!.compressed!.value - metrics["acc"]!.original.value;
  assert.ok(Math.abs(metrics["acc"]!.change!.value - change) < 1e-12);
});

Deno.test("completions: perplexity of the last word, and whether it is the greedy one", async () => {
  const words = ["a", "b", "c is", "d", "e"];
  const records = words.map((word) => ({ text: `the last word${"s".repeat(30)} of ${word} end` }));
  const { metrics } = await run({ task: "lambada_openai", records });
  const expected = [];
  for (const { text } of records) {
    expected.push(await reference(original, text.slice(0, -4), " end"));
  }
  const loss = -expected.reduce((sum, answer) => sum + answer.sum, 0) / 5;
  assert.ok(Math.abs(Math.log(metrics["perplexity"]!.original.value) - loss) < 1e-5);
  const greedy = expected.filter((answer) => answer.greedy).length / 5;
  assert.equal(metrics["acc"]!.original.value, greedy);
});

Deno.test("tokens that join context and continuation belong to the continuation", () => {
  const window = (context: string, continuation: string, length = 40, addsBos = false) => {
    const adding = { ...tokenizer, addsBos };
    const made = continuationWindow({ context, continuation }, adding, length, 0);
    return [
      String.fromCharCode(...made.tokens),
      [...made.rows],
      String.fromCharCode(...made.labels),
    ];
  };
  assert.deepEqual(window("ab ", "cd"), ["ab c", [1, 2, 3], " cd"]);
  assert.deepEqual(window("", "cd"), ["\u0001c", [0, 1], "cd"]);
  assert.deepEqual(window("abcdef", "gh", 3), ["efg", [1, 2], "gh"]);
  assert.deepEqual(window("a", "bcdef", 3), ["cde", [0, 1, 2], "def"]);
  assert.throws(() => window("ai", "s"), /has no tokens/);
  assert.deepEqual(window("ab ", "cd", 40, true), ["\u0001ab c", [2, 3, 4], " cd"]);
  assert.deepEqual(window("\u0001ab", "cd", 40, true), ["\u0001abc", [2, 3], "cd"]);
  assert.deepEqual(window("", "cd", 40, true), ["\u0001c", [0, 1], "cd"]);
  assert.deepEqual(window("abcdef", "gh", 3, true), ["efg", [1, 2], "gh"]);
  assert.deepEqual(window("a\u0085 ", "b", 9), ["a\u0085 ", [0, 1, 2], "\u0085 b"]);
});

Deno.test("classification: accuracy of the likeliest class", async () => {
  const classifier = {
    model_type: "distilbert",
    architectures: ["DistilBertForSequenceClassification"],
    dim: 8,
    hidden_dim: 16,
    n_heads: 2,
    n_layers: 1,
    max_position_embeddings: 16,
    vocab_size: 128,
  };
  const weights = randomStateDict(classifier, 4);
  const sentences = ["good", "bad", "a long sentence that does not fit", "so so", "!"];
  const records = sentences.map((sentence, i) => ({ sentence, label: i % 2 }));
  const options = { config: classifier, original: weights, records };
  const { metrics } = await run({ task: "sst2_classifier", ...options });
  await useBackend("wasm");
  const model = createLanguageModel(classifier, weights);
  const hits = records.filter(({ sentence, label }) => {
    const ids = Int32Array.of(1, ...tokenizer.encode(sentence).subarray(0, 14), 2);
    const [no, yes] = model.logits(ids).dataSync<"float32">() as unknown as [number, number];
    return Number(yes > no) === label;
  });
  assert.equal(metrics["acc"]!.original.value, hits.length / 5);
});

Deno.test("tasks that do not suit the model, and data sets without records, are refused", async () => {
  const records: DataRecord[] = [{ sentence: "s", label: 0 }];
  await assert.rejects(
    run({ task: "sst2_classifier", records }),
    /sst2_classifier does not suit this gpt2 model/,
  );
  await assert.rejects(run({ task: "piqa", records: [] }), /has no records/);
  await assert.rejects(
    run({ task: "piqa", records, source: "set.jsonl" }),
    /set.jsonl: record 1: field goal must be text, but it is missing/,
  );
  await assert.rejects(
    run({ task: "lambada_openai", records: [{ text: "na\u00efve end" }] }),
    /token id 239 .* vocabulary of 128/,
  );
});
