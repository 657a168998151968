import assert from "node:assert";
import type { DataRecord } from "../../data/records.ts";
import { taskNamed } from "./registry.ts";
import type { ChoiceQuestion } from "./task.ts";

function read(task: string, record: DataRecord): unknown {
  return taskNamed(task).read({ record, where: "set: record 1" });
}

function prompts(task: string, record: DataRecord) {
  const { choices, answer, lengths } = read(task, record) as ChoiceQuestion;
  return [...choices.map(({ context, continuation }) => [context, continuation]), answer, lengths];
}

Deno.test("HellaSwag: the label before both parts, WikiHow's marks taken out", () => {
  const record = {
    activity_label: "Removing ice",
    ctx_a: "[header] How to start [title] Wait.",
    ctx_b: "then THE man",
    endings: ["pulls  it.", "[step] goes."],
    label: "1",
  };
  assert.deepEqual(prompts("hellaswag", record), [
    ["Removing ice: How to start. Wait. Then the man", " pulls it."],
    ["Removing ice: How to start. Wait. Then the man", "  goes."],
    1,
    [9, 6],
  ]);
});

Deno.test("PIQA and ARC: question and answer", () => {
  const piqa = { goal: "Cut bread", sol1: "Knife", sol2: "Spoon…", label: 0 };
  assert.deepEqual(prompts("piqa", piqa), [
    ["Question: Cut bread\nAnswer:", " Knife"],
    ["Question: Cut bread\nAnswer:", " Spoon…"],
    0,
    [5, 6],
  ]);
  const choices = { text: ["ice", "air", "\u{1F600}"], label: ["1", "2", "3"] };
  const arc = { question: "What is cold?", choices, answerKey: "3" };
  const context = "Question: What is cold?\nAnswer:";
  assert.deepEqual(prompts("arc_easy", arc), [
    [context, " ice"],
    [context, " air"],
    [context, " \u{1F600}"],
    2,
    [3, 3, 1],
  ]);
  assert.deepEqual(prompts("arc_challenge", arc), prompts("arc_easy", arc));
});

Deno.test("WinoGrande: the same rest after each name; LAMBADA: the last word", () => {
  const record = { sentence: "Ann met Eve as _ was late.", option1: "Ann", option2: "Eve" };
  assert.deepEqual(prompts("winogrande", { ...record, answer: "2" }), [
    ["Ann met Eve as Ann", " was late."],
    ["Ann met Eve as Eve", " was late."],
    1,
    [9, 9],
  ]);
  assert.deepEqual(read("lambada_openai", { text: "It was his hat" }), {
    context: "It was his",
    continuation: " hat",
  });
});

Deno.test("missing and unusable fields are named", () => {
  const rejects = (task: string, record: DataRecord, message: RegExp) =>
    assert.throws(() => read(task, record), message);
  const piqa = { goal: "g", sol1: "a", sol2: "b", label: 0 };
  rejects(
    "piqa",
    { ...piqa, sol2: undefined },
    /set: record 1: field sol2 must be text, but it is m/,
  );
  rejects("piqa", { ...piqa, label: 2 }, /label must be a number from 0 to 1, but found 2/);
  rejects("piqa", { ...piqa, label: "" }, /label must be a number from 0 to 1, but found ""/);
  rejects("lambada_openai", { text: "word" }, /more than one word/);
  rejects("winogrande", { sentence: "no gap" }, /text with a gap _/);
  rejects(
    "hellaswag",
    { ctx_a: "a", ctx_b: "b", endings: ["x"] },
    /endings must be a list of at l/,
  );
  const arc = { question: "q", choices: { text: ["a", "b"], label: ["A", "B"] } };
  rejects("arc_easy", { ...arc, answerKey: "C" }, /answerKey must be one of A, B, but found "C"/);
  rejects("arc_easy", { question: "q", choices: [] }, /choices must be an object/);
  rejects("sst2_classifier", { sentence: "s", label: -1 }, /label must be a number from 0 to 1/);
  assert.throws(
    () => taskNamed("mmlu"),
    /unknown task "mmlu"; choose one of lambada_openai, hella/,
  );
});
