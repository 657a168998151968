import { join } from "node:path";
import type { StateDict } from "../../../data/mod.ts";
import { type BaseEvaluation, evaluateLanguageModel, evaluateOriginal } from "../../../eval/mod.ts";
import { fingerprintOf } from "../../../eval/measure/evaluation_result.ts";
import {
  baseValues,
  readBaseEvaluation,
  writeBaseEvaluation,
} from "../../../eval/measure/base_evaluation_file.ts";
import type { ProtocolName } from "../../../eval/protocols/protocol.ts";
import { chooseProtocol, planWindows } from "../../../eval/protocols/protocol.ts";
import { evaluateTask } from "../../../eval/tasks/evaluate_task.ts";
import { readMeasuredText } from "../../../cli/evaluate/measure.ts";
import { readQuestions } from "../../../cli/evaluate/task.ts";
import type { Run } from "../../../cli/terminal/run.ts";
import type { KeptText, OpenedModel } from "./opened_model.ts";
import type { RealModelsOptions } from "./options.ts";
import type { ResultLine } from "./results_file.ts";

/** Something that is measured of every candidate. */
export interface Measurement {
  /** What progress calls it. */
  readonly label: string;
  /** Whether a candidate's result is known. */
  isDone(method: string, lines: readonly ResultLine[]): boolean;
  /** Measures a candidate. */
  run(method: string, weights: StateDict): Promise<ResultLine>;
}

/** Tokens of a chunk of llama.cpp's protocol. */
const CHUNK = 512;

/** What is measured: each text, the first by GPTQ's protocol too, and the tasks. */
export async function planMeasurements(
  model: OpenedModel,
  texts: readonly KeptText[],
  options: RealModelsOptions,
  run: Run,
): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const [i, text] of texts.entries()) {
    const protocols: ProtocolName[] = i === 0 ? ["llama.cpp", "gptq"] : ["llama.cpp"];
    for (const protocol of protocols) {
      measurements.push(
        await textMeasurement(model, { text, protocol }, options, run),
      );
    }
  }
  for (const { name, path } of options.task) {
    const { limit } = options;
    const source = { data: path, ...(limit !== undefined && { limit }) };
    const questions = await readQuestions(name, source, run);
    measurements.push(taskMeasurement(model, questions, options, run));
  }
  return measurements;
}

async function textMeasurement(
  { source: { config }, weights, description, tokenizer, folder, sha256, calibration }: OpenedModel,
  { text, protocol }: { readonly text: KeptText; readonly protocol: ProtocolName },
  { chunks }: RealModelsOptions,
  { signal, writeLine, phase }: Run,
): Promise<Measurement> {
  const settings = chooseProtocol(description, { protocol });
  const tokens = chunks * CHUNK;
  // A text shorter than one window of GPTQ's is one window.
  const context = Math.min(settings.contextLength, tokens);
  const { evaluation, warning } = await readMeasuredText(
    { text: text.path, tokens, protocol, context },
    tokenizer,
    description,
  );
  if (warning !== undefined) writeLine(warning);
  const windows = planWindows(description, { ...settings, contextLength: context }, evaluation);
  const fingerprint = await fingerprintOf(windows);
  const { threads, backend } = calibration;
  const common = { config, original: weights, ...evaluation, threads, backend, signal };
  const label = `${text.name} (${protocol})`;
  const path = join(folder, `original-${fingerprint.slice(0, 16)}.safetensors`);
  const wanted = { key: sha256, fingerprint, values: baseValues(windows, description) };
  const original = async (): Promise<BaseEvaluation> => {
    const kept = await readBaseEvaluation(path, wanted);
    if (kept !== undefined) return kept;
    const { base } = await phase(
      `original on ${label}`,
      (onProgress) => evaluateOriginal({ ...common, onProgress }),
    );
    await writeBaseEvaluation(path, sha256, base);
    return base;
  };
  return {
    label,
    isDone: (method, lines) =>
      lines.some((line) =>
        line.kind === "text" && line.method === method && line.text === text.name &&
        line.result.fingerprint === fingerprint
      ),
    async run(method, compressed) {
      const base = await original();
      const start = performance.now();
      const { chunkMeans: _, ...result } = await phase(
        label,
        (onProgress) => evaluateLanguageModel({ ...common, compressed, base, onProgress }),
      );
      const seconds = (performance.now() - start) / 1000;
      return { kind: "text", method, text: text.name, result, seconds };
    },
  };
}

function taskMeasurement(
  { source: { config }, weights, tokenizer }: OpenedModel,
  questions: Awaited<ReturnType<typeof readQuestions>>,
  { threads, backend }: RealModelsOptions,
  { signal, phase }: Run,
): Measurement {
  const { task, records } = questions;
  return {
    label: task,
    isDone: (method, lines) =>
      lines.some((line) =>
        line.kind === "task" && line.method === method && line.task === task &&
        line.questions === records.length
      ),
    async run(method, compressed) {
      const start = performance.now();
      const models = { config, original: weights, compressed, tokenizer, threads, backend };
      const { metrics } = await phase(
        task,
        (onProgress) => evaluateTask({ ...models, ...questions, onProgress, signal }),
      );
      const seconds = (performance.now() - start) / 1000;
      return { kind: "task", method, task, questions: records.length, metrics, seconds };
    },
  };
}
