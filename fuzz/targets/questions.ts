import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import { readRecords } from "../../data/records.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { endTokens } from "../../eval/generation/end_tokens.ts";
import { prepareTask } from "../../eval/tasks/evaluate_task.ts";
import { questionWindows } from "../../eval/tasks/task_plan.ts";
import { taskNames } from "../../eval/tasks/registry.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

const ARC = {
  question: "What is cold?",
  choices: { text: ["ice", "fire"], label: ["A", "B"] },
  answerKey: "A",
};
/** A sound record of every task, and the token settings that go with it. */
const SOUND: Readonly<Record<string, { [key: string]: Json }>> = {
  lambada_openai: { text: "It was his hat" },
  hellaswag: {
    activity_label: "Removing ice",
    ctx_a: "[header] How to start [title] Wait.",
    ctx_b: "then",
    endings: ["pulls it.", "[step] goes."],
    label: "1",
  },
  piqa: { goal: "Cut bread", sol1: "Knife", sol2: "Spoon", label: 0 },
  arc_easy: ARC,
  arc_challenge: ARC,
  winogrande: {
    sentence: "Ann met Eve as _ was late.",
    option1: "Ann",
    option2: "Eve",
    answer: "2",
  },
  sst2_classifier: { sentence: "a fine film", label: 1 },
};

const tokenizer: TextTokenizer = {
  vocabularySize: 65_536,
  bosTokenId: 1,
  eosTokenId: 2,
  addsBos: true,
  encode: (text) => Int32Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids) => String.fromCharCode(...Array.from(ids)),
};
const common = { vocab_size: 65_536 };
const gpt2 = describeModel(
  { ...common, model_type: "gpt2", n_embd: 8, n_head: 2, n_layer: 1, n_positions: 24 },
  [],
);
const classifier = describeModel({
  ...common,
  model_type: "distilbert",
  architectures: ["DistilBertForSequenceClassification"],
  dim: 8,
  hidden_dim: 8,
  n_heads: 2,
  n_layers: 1,
  max_position_embeddings: 24,
}, []);

/** Mutations of data sets of tasks, and of the tokens that end a text. */
export const target: FuzzTarget = {
  name: "questions",
  description:
    "Records of the data set of each task, and eos_token_id beside them: read, and cut into windows.",
  mutate(random) {
    const index = random.integer(taskNames.length);
    const sound = SOUND[taskNames[index]!]!;
    const changed = mutateJson(random, { ...sound, eos_token_id: [2, 3] });
    const bytes = new TextEncoder().encode(
      `${JSON.stringify(changed)}\n${JSON.stringify(sound)}\n`,
    );
    return Uint8Array.of(index, ...random.integer(8) === 0 ? mutateBytes(random, bytes) : bytes);
  },
  async read(input) {
    const task = taskNames[(input[0] ?? 0) % taskNames.length]!;
    const records = await readRecords(memorySource(input.subarray(1), "set.jsonl"));
    const ends = endTokens(records[0]!, tokenizer);
    assert.ok(ends.every((id) => Number.isSafeInteger(id) && id >= 0));
    const model = task === "sst2_classifier" ? classifier : gpt2;
    const { questions } = prepareTask({ task, records, source: "set.jsonl" }, model);
    for (const [i, question] of questions.entries()) {
      for (const { tokens, rows, labels } of questionWindows(question, tokenizer, model, i)) {
        assert.ok(tokens.length > 0 && tokens.length <= 24);
        assert.equal(rows.length, labels.length);
        assert.ok(rows.every((row) => row >= 0 && row < tokens.length));
      }
    }
  },
};
