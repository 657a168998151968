import { InputError } from "../../data/input_error.ts";
import type { StateDict } from "../../data/tensor.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import type { BackendName } from "../compute/backend.ts";
import { checkTensors } from "../weights/expected_tensors.ts";
import { checkTokenIds } from "../architectures/token_ids.ts";
import { checkResidentMemory } from "../scoring/memory_plan.ts";
import { prepareWeights, sendWeights } from "../weights/prepared_weights.ts";
import type { ConversationFrame } from "../generation/conversation.ts";
import { Worker } from "../../workers/web_worker.ts";
import { runInWorkers } from "../../workers/worker_pool.ts";
import { sampleOnWasm } from "./wasm_sampling.ts";
import { sampleOnDevice } from "./device_sampling.ts";
import type { SampleJob, SampleSetup } from "./sample_worker.ts";

/** What {@linkcode sampleTokens} is given. */
export interface SampleOptions {
  /** The model's `config.json`. */
  readonly config: ModelConfig;
  /** The model's weights. */
  readonly weights: StateDict;
  /** Number of sequences. */
  readonly sequences: number;
  /** Tokens of a sequence, the first included; at most the model's context. */
  readonly length: number;
  /** The first token of every sequence, such as the one that begins texts; random if omitted. */
  readonly firstToken?: number;
  /**
   * What is put around messages, if the sequences are conversations, in the place of `firstToken`.
   *
   * @internal
   */
  readonly frame?: ConversationFrame;
  /** Seed of all draws; 0 if omitted. */
  readonly seed?: number;
  /** Number of threads; all cores if omitted. The result does not depend on it. */
  readonly threads?: number;
  /** What computes it; `"wasm"` if omitted, and in the place of `"native"`. */
  readonly backend?: BackendName;
  /** Called with the share of the tokens that are drawn, 0 to 1, and how many a second are. */
  readonly onProgress?: (share: number, tokensPerSecond: number) => void;
  /** Stops the work with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Sequences that a worker draws at once. */
const sequencesPerJob = 16;

/**
 * Lets a model write its own calibration text: sequences drawn token by token from its distribution
 * (temperature 1), one after another. Throws {@linkcode InputError} if the model predicts no next
 * token, or a sequence would be longer than its context.
 *
 * ```ts
 * import { embeddedModelPath, openModel } from "@kanpress/kanpress/data";
 * import { readStateDict, sampleTokens } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const { config, weights } = await openModel(embeddedModelPath());
 * const dict = await readStateDict({ config, weights });
 * const tokens = await sampleTokens({ config, weights: dict, sequences: 2, length: 6 });
 * assert.equal(tokens.length, 12);
 * ```
 */
export async function sampleTokens(options: SampleOptions): Promise<Int32Array> {
  const { config, weights, sequences, length, firstToken, frame, seed = 0, signal } = options;
  const description = describeModel(config, weights.keys());
  const { contextLength } = description;
  if (description.objective !== "nextToken") {
    throw new InputError(
      `this ${description.modelType} model cannot write a text; give one to calibrate on`,
    );
  }
  if (!(length >= 2 && length <= contextLength)) {
    throw new InputError(`sequences of ${length} tokens are not from 2 to ${contextLength} long`);
  }
  if (firstToken !== undefined) {
    checkTokenIds(Int32Array.of(firstToken), description.vocabularySize);
  }
  if (frame !== undefined) {
    const ids = [...frame.beginning, ...frame.between.flat()];
    checkTokenIds(Int32Array.from(ids), description.vocabularySize);
  }
  checkTensors(config, description, Array.from(weights, ([name, { shape }]) => ({ name, shape })));
  const jobs: SampleJob[] = [];
  for (let at = 0; at < sequences; at += sequencesPerJob) {
    const batch = Math.min(sequencesPerJob, sequences - at);
    jobs.push({ batch, seed: Math.imul(seed, 0x9e3779b1) + jobs.length });
  }
  const { backend = "wasm", threads = navigator.hardwareConcurrency } = options;
  const start = performance.now();
  const onProgress = (done: number) => {
    const share = done / jobs.length;
    const seconds = (performance.now() - start) / 1000;
    options.onProgress?.(share, share * sequences * length / seconds);
  };
  const common = {
    length,
    ...(firstToken !== undefined && { firstToken }),
    ...(frame !== undefined && { frame }),
  };
  const watched = { jobs, ...(signal !== undefined && { signal }) };
  const drawing = { ...common, ...watched, model: description, onProgress };
  const parts = backend === "webgpu"
    ? await sampleOnDevice({ ...drawing, weights: prepareWeights(description, weights, false) })
    : backend === "cpu"
    ? undefined
    : await sampleOnWasm({ ...drawing, weights, threads });
  return joined(parts ?? await sampleOnTfjs(), sequences * length);

  async function sampleOnTfjs(): Promise<Int32Array[]> {
    checkResidentMemory(description, "give a text to calibrate on");
    let done = 0;
    return await runInWorkers<SampleSetup, SampleJob, Int32Array>({
      start: () => new Worker(new URL("./sample_worker.ts", import.meta.url), { type: "module" }),
      threads,
      setup: {
        ...common,
        description,
        weights: sendWeights(prepareWeights(description, weights, true)),
        backend: backend === "native" ? "wasm" : backend,
      },
      ...watched,
      onResult: () => onProgress(++done),
    });
  }
}

function joined(parts: readonly Int32Array[], length: number): Int32Array {
  const tokens = new Int32Array(length);
  let offset = 0;
  for (const part of parts) {
    tokens.set(part, offset);
    offset += part.length;
  }
  return tokens;
}
