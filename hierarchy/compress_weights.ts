import type { CompressInput, DivergenceTarget, ModelDescription } from "./compress_input.ts";
import {
  byteLengthOf,
  bytePieces,
  bytesOf,
  isFileArray,
  type KeptBytes,
} from "../data/file_array.ts";
import { fileArraySource } from "../data/parts_in_file.ts";
import type { StateDict, WeightSource } from "../data/tensor.ts";
import type { ResolvedOptions } from "./compressor_options.ts";
import { chooseStates } from "./choose_states.ts";
import { InputError } from "../data/input_error.ts";
import { quote } from "../data/quote.ts";
import { type Container, openContainer } from "./file/container.ts";
import { sourceOf } from "./decode_container.ts";
import { encodeStages } from "./encode_stages.ts";
import { encodeAtTarget } from "./encode_at_target.ts";
import type { Matrices } from "./matrix/matrix.ts";
import { isLost } from "./metric/is_lost.ts";
import { prepareModel } from "./prepare_model.ts";
import { type CompressionReport, reportContainer } from "./report.ts";
import { CodingWorkers } from "./workers/coding_workers.ts";

/** A compressed model in memory. */
export interface CompressedModel {
  /**
   * The whole `.kan.safetensors` file. Where it is on disk because memory is short, it is read anew at
   * each access, as long as the scratch folder is there.
   */
  readonly bytes: Uint8Array;
  /** The same bytes in pieces, where the file is on disk. */
  readonly pieces?: () => Iterable<Uint8Array>;
  /** Where every byte of it goes. */
  readonly report: CompressionReport;
}

/**
 * Models of fewer values are coded before workers have started; those of more never on the calling
 * thread, so that a signal ends the work at once.
 */
const FEWEST_SHARED_VALUES = 1 << 20;

/** A {@linkcode CompressInput}, and perhaps a target in divergence. */
export interface TargetedInput extends CompressInput {
  /** Target in divergence, instead of `bits` and `bytes` of the options. */
  readonly divergence?: DivergenceTarget | undefined;
}

/** What {@linkcode HierarchicalCompressor} does; also at a target in divergence. */
export async function compressWeights(
  weights: StateDict | WeightSource,
  { metrics = new Map(), divergence, ...description }: TargetedInput,
  options: ResolvedOptions,
): Promise<CompressedModel> {
  checkDivergence(divergence, options.bits ?? options.bytes);
  const input = { metrics, divergence, description };
  const kept = new Set<string>();
  for (;;) {
    const { lost, compressed } = await compressOnce(weights, input, kept, options);
    if (lost.length === 0) return compressed;
    for (const name of lost) kept.add(name);
  }
}

/** Compresses weights; `lost` names the matrices that the levels could not code. */
async function compressOnce(
  weights: StateDict | WeightSource,
  { metrics, divergence, description }: {
    readonly metrics: NonNullable<CompressInput["metrics"]>;
    readonly divergence: DivergenceTarget | undefined;
    readonly description: ModelDescription;
  },
  kept: ReadonlySet<string>,
  resolved: ResolvedOptions,
): Promise<{ readonly compressed: CompressedModel; readonly lost: readonly string[] }> {
  const model = await prepareModel(weights, metrics, description, resolved, kept);
  const { matrices } = model;
  if (matrices.length === 0 && kept.size > 0) {
    throw new InputError(
      `tensor ${quote([...kept][0]!)}: the levels lose it and every other matrix; check that its ` +
        "values, and those of its calibration, are of a size that float32 can hold",
    );
  }
  const values = countValues(matrices);
  const states = chooseStates(resolved, values);
  const isLarge = values >= FEWEST_SHARED_VALUES;
  const { threads, tasksThrough } = resolved;
  const workers = new CodingWorkers(isLarge ? threads : 1, isLarge, tasksThrough);
  try {
    const options = { ...resolved, states, workers };
    const encoder = await encodeStages(matrices, options);
    const file = await encodeAtTarget(model, encoder, options, divergence);
    // What workers have seen of shared memory is released when they end: before the report
    // decodes.
    workers.close();
    const container = isFileArray(file)
      ? await openContainer(fileArraySource(file, "compressed model"), { mostInMemory: 0 })
      : await openContainer(sourceOf(file));
    const lost: string[] = [];
    const step = options.uniform ? Infinity : stepOf(container);
    const report = await reportContainer(container, byteLengthOf(file), {
      original: matrices,
      onErrors(matrix, sums, error) {
        if (isLost(matrices[matrix]!, sums, error, step)) lost.push(matrices[matrix]!.name);
      },
      signal: resolved.signal,
    });
    // Autoencoders alone lose what their latents cannot hold: that is known of the preset.
    return {
      compressed: compressedModel(file, report),
      lost: options.preset === "seed" ? [] : lost,
    };
  } finally {
    workers.close();
  }
}

function compressedModel(file: KeptBytes, report: CompressionReport): CompressedModel {
  if (!isFileArray(file)) return { bytes: file, report };
  return {
    get bytes() {
      return bytesOf(file);
    },
    pieces: () => bytePieces(file),
    report,
  };
}

/** The step of the level that spends the bits. */
function stepOf({ stages }: Container): number {
  const field = stages.at(-1)?.findLast(({ kind }) => kind === "field");
  return Number(field?.parameters.step ?? Infinity);
}

function countValues(matrices: Matrices): number {
  return matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
}

function checkDivergence(target: DivergenceTarget | undefined, size: number | undefined): void {
  if (target === undefined) return;
  if (size !== undefined) {
    throw new InputError("divergence: is a target beside bits or bytes; give one target");
  }
  if (!(target.most > 0 && target.most < Infinity)) {
    throw new InputError(`divergence: ${target.most} is not a positive number of nats`);
  }
}
