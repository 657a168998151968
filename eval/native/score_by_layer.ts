import { releaseMemory } from "../../data/release_memory.ts";
import { readTensorRows } from "../../data/read_rows.ts";
import type { WeightSource } from "../../data/tensor.ts";
import type { NormDescription, TransformerDescription } from "../architectures/description.ts";
import type { ScoringJob } from "../scores/scoring_jobs.ts";
import { allocateScores, copyScores, type TokenScores } from "../scores/token_scores.ts";
import { layerTensorNames } from "../weights/expected_tensors.ts";
import { readEmbedding } from "../weights/load_tensors.ts";
import { type PreparedTensor, prepareTensor } from "../weights/prepared_weights.ts";
import { type HeadPart, headParts, type HeadRows } from "./head_parts.ts";
import { layerValues } from "./layer_graphs.ts";
import { NativeModel } from "./native_model.ts";
import { requireNativeRuntime } from "./runtime.ts";
import { scoreRows } from "./score_rows.ts";
import { NativeSessions } from "./sessions.ts";

/** What {@linkcode scoreByLayer} is given. */
export interface LayerScoringOptions {
  readonly model: TransformerDescription;
  /** The original and perhaps the compressed weights. */
  readonly sources: readonly WeightSource[];
  readonly jobs: readonly ScoringJob[];
  /** Number of threads. */
  readonly threads: number;
  /** Called after each of {@linkcode layerScoringSteps} steps. */
  readonly advance: () => void;
}

/** How many steps {@linkcode scoreByLayer} has. */
export function layerScoringSteps(model: TransformerDescription, sources: number): number {
  return sources * model.layers.length + headParts(model).length;
}

/**
 * Scores jobs on the native runtime with one layer's weights in memory at a time: all jobs go through
 * a layer before the next one is read, and the head is read once, part by part.
 */
export async function scoreByLayer(
  { model, sources, jobs, threads, advance }: LayerScoringOptions,
): Promise<TokenScores[]> {
  const sessions = new NativeSessions(requireNativeRuntime(), threads);
  try {
    const models: NativeModel[] = [];
    const finished: Float32Array[] = [];
    for (const source of sources) {
      const weights = new Map<string, PreparedTensor>();
      const own = new NativeModel(sessions, model, weights, headReader(model, source));
      finished.push(await runByLayer(own, weights, source, jobs, advance));
      models.push(own);
    }
    const labels = Int32Array.from(jobs.flatMap((job) => [...job.labels]));
    const scores = await scoreRows(models, finished, labels, advance);
    let from = 0;
    return jobs.map(({ rows: { length } }) => {
      const own = allocateScores(length, sources.length > 1);
      copyScores(own, 0, scores, from, length);
      from += length;
      return own;
    });
  } finally {
    await sessions.close();
  }
}

/** The finished rows of all jobs; leaves the weights of what the head does before its product. */
async function runByLayer(
  native: NativeModel,
  weights: Map<string, PreparedTensor>,
  source: WeightSource,
  jobs: readonly ScoringJob[],
  advance: () => void,
): Promise<Float32Array> {
  const { description, layers } = native;
  const { hiddenSize, objective, finalNorm, headTransform } = description;
  // What is in memory of our own, and can be given back at once.
  const held: PreparedTensor[] = [];
  const read = async (names: readonly (string | undefined)[]) => {
    for (const { data } of held.splice(0)) releaseMemory(data);
    weights.clear();
    for (const name of names) {
      if (name === undefined) continue;
      const { shape: [rows = 0] } = source.tensors.find((tensor) => tensor.name === name)!;
      const tensor = await readRows(source, name, { start: 0, end: rows });
      held.push(tensor);
      weights.set(name, tensor);
    }
  };
  const ofNorm = (norm: NormDescription | undefined) => [norm?.weight, norm?.bias];
  const sequencesOf = ({ tokens, batch }: ScoringJob) => ({ batch, length: tokens.length / batch });
  const tokens = jobs.flatMap((job) => [...job.tokens]);
  for (const [name, tensor] of await readEmbedding(description, source, tokens)) {
    weights.set(name, tensor);
  }
  const states: Float32Array[] = [];
  for (const job of jobs) states.push(await native.embed(job.tokens, sequencesOf(job)));
  for (const [index, layer] of description.layers.entries()) {
    await read(layerTensorNames(description, layer));
    for (const [at, job] of jobs.entries()) {
      const results = await layers.forward(index, states[at]!, sequencesOf(job));
      states[at] = results[layerValues.result]!.data as Float32Array;
    }
    advance();
  }
  await read([
    ...ofNorm(finalNorm),
    headTransform?.linear.weight,
    headTransform?.linear.bias,
    ...ofNorm(headTransform?.norm),
  ]);
  const picked = jobs.map((job, at) => {
    // A classifier's rows are numbers of sequences, of which the first token counts.
    const step = objective === "classification" ? sequencesOf(job).length : 1;
    return Array.from(
      job.rows,
      (row) => states[at]!.subarray(row * step * hiddenSize, (row * step + 1) * hiddenSize),
    );
  }).flat();
  const rows = new Float32Array(picked.length * hiddenSize);
  picked.forEach((row, index) => rows.set(row, index * hiddenSize));
  return await native.finish(rows);
}

/** Reads rows of a tensor into memory of their own. */
async function readRows(
  source: WeightSource,
  name: string,
  { start, end }: HeadPart,
): Promise<PreparedTensor> {
  const wanted = Int32Array.from({ length: end - start }, (_, i) => start + i);
  return prepareTensor(name, await readTensorRows(source, name, wanted), false, false);
}

/** Parts of the head that are read at once: what is compressed is decoded as often as it is read. */
const partsAtOnce = 8;

/** Reads parts of a head, some at a time. */
function headReader(
  model: TransformerDescription,
  source: WeightSource,
): (part: HeadPart) => Promise<HeadRows> {
  const { weight, bias, inputs } = model.head;
  const parts = headParts(model);
  let held: (HeadPart & HeadRows) | undefined;
  return async ({ start, end }) => {
    if (held === undefined || start < held.start || end > held.end) {
      const first = parts.findIndex((part) => part.start === start);
      const range = { start, end: parts[Math.min(parts.length, first + partsAtOnce) - 1]!.end };
      held = {
        ...range,
        weight: (await readRows(source, weight, range)).data,
        ...(bias !== undefined && { bias: (await readRows(source, bias, range)).data }),
      };
    }
    const [from, to] = [start - held.start, end - held.start];
    return {
      weight: held.weight.subarray(from * inputs, to * inputs),
      ...(held.bias !== undefined && { bias: held.bias.subarray(from, to) }),
    };
  };
}
