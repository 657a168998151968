import { sha256 } from "../../data/sha256.ts";
import type { StateDict } from "../../data/tensor.ts";
import type {
  QuantizeTask,
  TaskArguments,
  TaskKind,
} from "../../hierarchy/workers/coding_tasks.ts";
import type { RunOptions, RunTasks, TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { ModelConfig } from "../architectures/config.ts";
import { describeModel } from "../architectures/registry.ts";
import type { BackendName } from "../compute/backend_names.ts";
import { cutIntoChunks } from "../protocols/text_chunks.ts";
import { prepareWeights } from "../weights/prepared_weights.ts";
import type { Batch } from "./drift_engine.ts";
import { type Correction, DriftPass } from "./drift_pass.ts";

/** Times the mean of the inputs' squares is added to each by default. */
const DEFAULT_DAMPING = 0.1;
/** Tokens that go through a layer at once, unless one chunk is longer. */
const BATCH_TOKENS = 2048;
/** To be raised with any change of what {@linkcode driftCorrected} gives for what it is given. */
export const DRIFT_VERSION = 3;

/** What is corrected by what. */
export interface DriftOptions {
  /** The model's config.json. */
  readonly config: ModelConfig;
  /** The original's weights. */
  readonly weights: StateDict;
  /** A text that both models read, of which a remainder is dropped. */
  readonly tokens: Int32Array;
  /** Tokens of a chunk. */
  readonly contextLength: number;
  /** What each chunk begins with, if anything. */
  readonly bosTokenId?: number;
  readonly backend: BackendName;
  readonly threads: number;
  /** Which part of the change is made, 0 to 1; by default what each half of the text says of the other. */
  readonly share?: number;
  /** Times the mean of the inputs' squares is added to each; 0.1 by default. */
  readonly damping?: number;
}

/**
 * Quantizes the pass that is coded layer by layer, each against the inputs that the layers before it,
 * quantized, give: with X the original's inputs and Z those, the target of a matrix M is
 * M + share · (ZᵀZ + λ)⁻¹ Zᵀ(X - Z) M, where all of it makes Z M nearest to X M (Qronos, GPTAQ) on the
 * text that was read, and less of it on others. A matrix that writes to the residual stream is to bring
 * that nearest to the original's: with D, what the stream misses before, the last factor is
 * Zᵀ((X - Z) M + D) (WaterSIC, arXiv 2603.04956). Inputs of a layer are seen before each of its groups
 * of matrices, as those before it within the layer change them too. Throws {@linkcode InputError} if the
 * text is too short.
 */
export async function driftCorrected(options: DriftOptions): Promise<TasksThrough> {
  const { config, weights, tokens, contextLength, bosTokenId, backend, threads } = options;
  const { share, damping = DEFAULT_DAMPING } = options;
  const model = describeModel(config, weights.keys());
  const chunks = cutIntoChunks(tokens, model, contextLength, bosTokenId);
  const settings = [
    DRIFT_VERSION,
    await sha256(chunks),
    contextLength,
    backend,
    share ?? "found",
    damping,
  ];
  const codedBy = `drift ${settings.join(" ")}`;
  const correction: Correction = {
    ...{ model, backend, threads, share, damping },
    original: prepareWeights(model, weights, backend !== "native"),
    batches: batchesOf(chunks, contextLength),
  };
  return (inner) => {
    const run = async <Kind extends TaskKind>(
      kind: Kind,
      tasks: readonly TaskArguments[Kind][],
      options: RunOptions<Kind> = {},
    ) => {
      if (kind !== "quantize" || !options.isCoded) return await inner(kind, tasks, options);
      const results = await new DriftPass(
        tasks as readonly QuantizeTask[],
        inner,
        correction,
        options as RunOptions<"quantize">,
      ).run();
      return results as Awaited<ReturnType<typeof inner<Kind>>>;
    };
    const { passes } = inner;
    return Object.assign(run as RunTasks, { codedBy, ...(passes && { passes }) });
  };
}

/** Chunks that go through a layer at once: two batches at least, since one half judges the other. */
function batchesOf(chunks: Int32Array, contextLength: number): Batch[] {
  const most = Math.max(1, Math.floor(BATCH_TOKENS / contextLength));
  const length = contextLength * Math.min(most, Math.ceil(chunks.length / contextLength / 2));
  return Array.from({ length: Math.ceil(chunks.length / length) }, (_, i) => {
    const ids = chunks.slice(i * length, (i + 1) * length);
    return { ids, chunks: ids.length / contextLength };
  });
}
