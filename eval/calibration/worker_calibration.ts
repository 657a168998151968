import type { StateDict } from "../../data/tensor.ts";
import { requireSharedMemory } from "../../workers/shared_array.ts";
import { Worker } from "../../workers/web_worker.ts";
import { WorkerPool } from "../../workers/worker_pool.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import type { TfjsBackend } from "../compute/backend.ts";
import { planMemory } from "../scoring/memory_plan.ts";
import { prepareWeights, sendWeights } from "../weights/prepared_weights.ts";
import type { CalibrationJob, SharedMoments } from "./calibrate_chunks.ts";
import type { CalibrateSetup } from "./calibrate_worker.ts";
import { sumInOrder } from "./calibration_sums.ts";
import type { SumsKeeper } from "./kept_sums.ts";
import type { TextWatch } from "./text_watch.ts";
import { turnsShare } from "./turns.ts";

/** Tokens that one job runs through the model at once, unless one chunk is longer. */
const tokensPerJob = 1024;
/** Where a worker's heap would be larger, one chunk at a time goes through the model. */
const comfortableHeap = 4e8;
/** How often the workers' progress is looked at. */
const reportMilliseconds = 500;

/** What {@linkcode calibrateOnWorkers} is given. */
export interface WorkerCalibrationOptions {
  readonly model: TransformerDescription;
  readonly weights: StateDict;
  /** The text, in chunks. */
  readonly chunks: Int32Array;
  readonly contextLength: number;
  /** What the text is added to. */
  readonly moments: SharedMoments;
  /** Seed of the labels that are drawn; no backward passes are run if omitted. */
  readonly labelSeed?: number;
  readonly threads: number;
  readonly backend: TfjsBackend;
  /** What keeps the sums every so often. */
  readonly keeper?: SumsKeeper;
  /** What ends the run before the text's end. */
  readonly watch?: TextWatch;
  readonly onProgress?: (share: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs a text through a model in Web Workers by tfjs, and adds what they find to the moments. Gives
 * Σ p (1 - p) of each logit, in parts; none without a backward pass.
 */
export async function calibrateOnWorkers(
  options: WorkerCalibrationOptions,
): Promise<Float64Array[]> {
  const { model, weights, chunks, contextLength, moments, labelSeed, threads, backend } = options;
  const { keeper, watch, onProgress, signal } = options;
  requireSharedMemory("calibration");
  const { batch, resident } = planBatch(model, contextLength, labelSeed !== undefined);
  const jobs = planJobs(chunks, contextLength, batch, labelSeed);
  const earlier = await keeper?.restore(chunks.length);
  if (earlier !== undefined) {
    await watch?.restore(earlier.marks, earlier.tokens, chunks.length);
    onProgress?.(earlier.tokens / chunks.length);
  }
  const logitSums = earlier?.logitSum === undefined ? [] : [earlier.logitSum];
  const jobTokens = batch * contextLength;
  const tokensOf = (count: number) => Math.min(chunks.length, count * jobTokens);
  let done = Math.ceil((earlier?.tokens ?? 0) / jobTokens);
  const turns = [moments.turns, moments.blockTurns];
  for (const counters of turns) counters.fill(done);
  const pool = new WorkerPool<CalibrateSetup, CalibrationJob, Float64Array | undefined>({
    start: () => new Worker(new URL("./calibrate_worker.ts", import.meta.url), { type: "module" }),
    threads,
    setup: {
      description: model,
      weights: sendWeights(prepareWeights(model, weights, true)),
      resident,
      backend,
      moments,
    },
  });
  // Sums are kept and looked at between rounds, when all workers have added theirs.
  let round = keeper === undefined ? jobs.length : threads;
  // A job of a large model takes minutes: what it has added already counts.
  let reported = 0;
  const report = () => {
    const share = turnsShare(turns, jobs.length);
    if (share > reported) onProgress?.(reported = share);
  };
  const timer = setInterval(report, reportMilliseconds);
  try {
    while (done < jobs.length && !watch?.isEnough) {
      const start = performance.now(), first = done;
      const next = watch === undefined ? jobs.length : watch.next(tokensOf(done)) / jobTokens;
      const sums = await pool.run(jobs.slice(first, Math.min(first + round, next)), {
        onResult() {
          done++;
          report();
        },
        ...(signal !== undefined && { signal }),
      });
      logitSums.push(...sums.filter((sum) => sum !== undefined));
      const tokens = tokensOf(done);
      await watch?.look(tokens, chunks.length);
      if (watch?.isEnough) onProgress?.(tokens / chunks.length);
      if (keeper === undefined) continue;
      if (keeper.isDue() || done === jobs.length || watch?.isEnough) {
        if (logitSums.length > 0) logitSums.splice(0, logitSums.length, sumInOrder(logitSums));
        const [logitSum] = logitSums;
        await keeper.save({
          ...{ tokens, marks: watch?.marks ?? [] },
          ...(logitSum !== undefined && { logitSum }),
        });
      }
      const each = (performance.now() - start) / (done - first);
      round = Math.max(threads, Math.floor(keeper.interval / each));
    }
  } finally {
    clearInterval(timer);
    pool.close();
  }
  return logitSums;
}

/** How many chunks go through the model at once, and whether its weights stay in the heap. */
export function planBatch(
  model: TransformerDescription,
  contextLength: number,
  backward: boolean,
): { batch: number; resident: boolean } {
  const planFor = (batch: number) => ({
    batch,
    ...planMemory(model, {
      copies: backward ? 2 : 1,
      batchTokens: batch * contextLength,
      contextLength,
      backward,
    }),
  });
  const single = planFor(1);
  const several = Math.floor(tokensPerJob / contextLength);
  if (several <= 1 || single.heapBytes > comfortableHeap) return single;
  const plan = planFor(several);
  return plan.heapBytes <= comfortableHeap ? plan : single;
}

/** Cuts the text into jobs. */
function planJobs(
  chunks: Int32Array,
  contextLength: number,
  batch: number,
  labelSeed: number | undefined,
): CalibrationJob[] {
  const jobs: CalibrationJob[] = [];
  for (let at = 0; at < chunks.length; at += batch * contextLength) {
    const ids = chunks.slice(at, at + batch * contextLength);
    const sequences = { job: jobs.length, ids, batch: ids.length / contextLength };
    jobs.push({ ...sequences, ...(labelSeed !== undefined && { labelSeed }) });
  }
  return jobs;
}
