/**
 * How fast are whole chunks scored, beside ONNX Runtime (native, and in WebAssembly) and
 * transformers.js? The same weights and tokens, one thread each, in one run, taking turns.
 *
 *     deno run --allow-all bench/onnx_runtime.ts
 *
 * Downloads the packages of `interop/deno.json`.
 *
 * All compute the logits at every position and the log-probability of each next token. What counts
 * is tokens per second that the process was computing, so that a busy machine disturbs less.
 */
import assert from "node:assert";
import { join } from "node:path";
import process from "node:process";
import { embeddedModelPath, openModel, type StateDict } from "../data/mod.ts";
import { encodeOnnxModel } from "../data/onnx/onnx_model.ts";
import type { OnnxGraph, OnnxNode } from "../data/onnx/onnx_model.ts";
import { languageModelGraph } from "../eval/onnx/language_model_graph.ts";
import { type ModelConfig, readStateDict, useBackend } from "../eval/mod.ts";
import { describeModel } from "../eval/architectures/registry.ts";
import { ParameterStore } from "../eval/weights/parameter_store.ts";
import { prepareWeights } from "../eval/weights/prepared_weights.ts";
import { randomStateDict } from "../eval/testdata/random_model.ts";
import { runJob, scoreRows } from "../eval/scoring/window_scorer.ts";
import {
  type Engine,
  type EngineName,
  type EngineRequest,
  type EngineResult,
  startEngine,
} from "../interop/start_engine.ts";
import { createRandom } from "../kan/mod.ts";
import { readOptions } from "./support/command_line.ts";
import { formatCount } from "../eval/report/number_text.ts";
import { printTable } from "./support/theory/table.ts";

readOptions({});

const ours = "kanpress";
const engines: readonly EngineName[] = ["onnxruntime-web", "onnxruntime-node", "transformers.js"];

/** What is scored: `batch` chunks of `length` tokens. */
interface Task {
  readonly name: string;
  readonly config: ModelConfig;
  readonly weights: StateDict;
  readonly batch: number;
  readonly length: number;
  readonly rounds: number;
}

/** The graph that gives the log-probability of each label, so that no logits are copied out. */
function scoringGraph(config: ModelConfig, weights: StateDict): OnnxGraph {
  const graph = languageModelGraph(config, weights, { cache: false });
  const node = (operator: string, inputs: string[], output: string, axis?: number): OnnxNode => ({
    operator,
    inputs,
    outputs: [output],
    attributes: axis === undefined ? {} : { axis: { integer: axis } },
  });
  const shape = ["batch_size", "sequence_length"];
  return {
    inputs: [...graph.inputs, { name: "labels", type: "int64", shape }],
    outputs: [{ name: "picked", type: "float32", shape: [...shape, 1] }],
    tensors: [...graph.tensors, { name: "last", shape: [1], data: BigInt64Array.of(-1n) }],
    nodes: [
      ...graph.nodes,
      node("LogSoftmax", ["logits"], "log_probabilities", -1),
      node("Unsqueeze", ["labels", "last"], "columns"),
      node("GatherElements", ["log_probabilities", "columns"], "picked", -1),
    ],
  };
}

async function writeModels({ config, weights }: Task, folder: string): Promise<void> {
  const write = (graph: OnnxGraph, name: string) =>
    Deno.writeFile(join(folder, name), ReadableStream.from(encodeOnnxModel(graph)));
  await Deno.mkdir(join(folder, "onnx"));
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
  await write(languageModelGraph(config, weights), join("onnx", "model.onnx"));
  await write(scoringGraph(config, weights), "scoring.onnx");
}

/** Our own forward pass, in this process. */
function openOurs({ config, weights }: Task): Engine {
  const description = describeModel(config, weights.keys());
  const parameters = new ParameterStore(prepareWeights(description, weights, false), true);
  const model = { description, parameters };
  return {
    async run({ tokens, labels, batch }) {
      const before = process.cpuUsage();
      const start = performance.now();
      const rows = Int32Array.from(tokens, (_, i) => i);
      const job = { tokens: Int32Array.from(tokens), batch, rows, labels: Int32Array.from(labels) };
      const { original } = await scoreRows([model], [await runJob(model, job)], job.labels);
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(before);
      const values = Float32Array.from(original, (value) => -value);
      return { seconds, processorSeconds: (user + system) / 1e6, values };
    },
    close: () => Promise.resolve(parameters.dispose()),
  };
}

function requestOf({ config, batch, length }: Task): EngineRequest {
  const random = createRandom(7);
  const vocabulary = Number(config.vocab_size);
  const text = Array.from({ length: batch * length + 1 }, () => random.integer(vocabulary));
  return { tokens: text.slice(0, -1), labels: text.slice(1), batch, wants: "logProbabilities" };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle) - 1]!) / 2;
}

async function compare(task: Task): Promise<void> {
  const folder = await Deno.makeTempDir();
  await writeModels(task, folder);
  const running = new Map<string, Engine>([[ours, openOurs(task)]]);
  for (const name of engines) {
    const path = name === "transformers.js" ? folder : join(folder, "scoring.onnx");
    running.set(name, await startEngine(name, path));
  }
  const request = requestOf(task);
  const results = new Map<string, EngineResult[]>();
  // The first round warms up.
  for (let round = 0; round <= task.rounds; round++) {
    for (const [name, engine] of running) {
      const result = await engine.run(request);
      if (round > 0) results.set(name, [...results.get(name) ?? [], result]);
    }
  }
  for (const engine of running.values()) await engine.close();
  await Deno.remove(folder, { recursive: true });
  report(task, results);
}

/** Tokens a processor second of every engine, and how kanpress compares, in a column for each task. */
const columns = new Map<string, { rate: string; ratio: string }[]>();

function report({ name, batch, length }: Task, results: ReadonlyMap<string, EngineResult[]>): void {
  const tokens = batch * length;
  const own = results.get(ours)!;
  console.error(`${name}, ${batch} x ${length} tokens, median of ${own.length} rounds`);
  for (const [engine, found] of results) {
    const worst = found[0]!.values.reduce(
      (max, value, i) => Math.max(max, Math.abs(value - own[0]!.values[i]!)),
      0,
    );
    assert.ok(worst < 1e-3, `${engine} differs by ${worst}`);
    const rate = median(found.map(({ processorSeconds }) => tokens / processorSeconds));
    const elapsed = median(found.map(({ seconds }) => tokens / seconds));
    const ratio = median(found.map((each, i) => each.processorSeconds / own[i]!.processorSeconds));
    console.error(`  ${engine}: ${elapsed.toFixed(1)} tokens per second by the clock`);
    columns.set(engine, [
      ...columns.get(engine) ?? [],
      { rate: formatCount(rate), ratio: ratio.toFixed(2) },
    ]);
  }
}

/** Prints the comparison for the embedded model and for one of GPT-2's sizes. */
async function compareWithOnnxRuntime(): Promise<void> {
  await useBackend("wasm");
  const embedded = await openModel(embeddedModelPath());
  await compare({
    name: "embedded model",
    config: embedded.config,
    weights: await readStateDict(embedded),
    batch: 4,
    length: 256,
    rounds: 7,
  });
  const config = {
    model_type: "gpt2",
    n_embd: 768,
    n_head: 12,
    n_layer: 12,
    n_positions: 1024,
    vocab_size: 50257,
  };
  const weights = randomStateDict(config, 1);
  await compare({ name: "GPT-2-sized", config, weights, batch: 1, length: 512, rounds: 3 });
}

await compareWithOnnxRuntime();
printTable(
  ["tokens per processor second", "embedded", "GPT-2-sized", "kanpress / this"],
  Array.from(columns, ([engine, found]) => [
    engine,
    ...found.map(({ rate }) => rate),
    engine === ours ? "" : found.map(({ ratio }) => ratio).join(" and "),
  ]),
);
