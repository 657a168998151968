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
  /** Number of workers; all cores if omitted. The result does not depend on it. */
  readonly threads?: number;
  /** What computes it; `"wasm"` if omitted, and in the place of `"native"`. */
  readonly backend?: BackendName;
  /** Called with the share of the sequences that are done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
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
  checkResidentMemory(description, "give a text to calibrate on");
  const jobs: SampleJob[] = [];
  for (let at = 0; at < sequences; at += sequencesPerJob) {
    const batch = Math.min(sequencesPerJob, sequences - at);
    jobs.push({ batch, seed: Math.imul(seed, 0x9e3779b1) + jobs.length });
  }
  const { backend = "wasm" } = options;
  let done = 0;
  const onDevice = backend !== "webgpu" ? undefined : await sampleOnDevice({
    model: description,
    weights: prepareWeights(description, weights, false),
    jobs,
    length,
    ...(firstToken !== undefined && { firstToken }),
    ...(frame !== undefined && { frame }),
    onProgress: (done) => options.onProgress?.(done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
  const parts = onDevice ?? await runInWorkers<SampleSetup, SampleJob, Int32Array>({
    start: () => new Worker(new URL("./sample_worker.ts", import.meta.url), { type: "module" }),
    threads: options.threads ?? navigator.hardwareConcurrency,
    setup: {
      description,
      weights: sendWeights(prepareWeights(description, weights, true)),
      backend: backend === "native" ? "wasm" : backend,
      length,
      ...(firstToken !== undefined && { firstToken }),
      ...(frame !== undefined && { frame }),
    },
    jobs,
    onResult: () => options.onProgress?.(++done / jobs.length),
    ...(signal !== undefined && { signal }),
  });
  const tokens = new Int32Array(sequences * length);
  let offset = 0;
  for (const part of parts) {
    tokens.set(part, offset);
    offset += part.length;
  }
  return tokens;
}
