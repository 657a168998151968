import { sha256 } from "../../data/sha256.ts";
import type { StateDict } from "../../data/tensor.ts";
import { transpose } from "../../data/transpose.ts";
import { type HeldMatrix, isHeld, makeValues } from "../../hierarchy/matrix/held_matrix.ts";
import { forEachDiagonal } from "../../hierarchy/scan/pieces.ts";
import { createTrellis, reconstruct } from "../../hierarchy/scan/trellis.ts";
import type {
  CountedMatrix,
  QuantizeTask,
  TaskArguments,
  TaskKind,
} from "../../hierarchy/workers/coding_tasks.ts";
import type { RunOptions, RunTasks, TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import type { ModelConfig } from "../architectures/config.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import { type InputGroup, inputGroups } from "../calibration/input_groups.ts";
import type { BackendName } from "../compute/backend_names.ts";
import { cutIntoChunks } from "../protocols/text_chunks.ts";
import {
  type PreparedTensor,
  type PreparedWeights,
  prepareWeights,
} from "../weights/prepared_weights.ts";
import { type Batch, type DriftEngine, type LinearInputs, noDrift } from "./drift_engine.ts";
import { openDriftEngine } from "./open_drift_engine.ts";
import { driftChange } from "./drift_change.ts";

/** Times the mean of the inputs' squares is added to each by default. */
const DEFAULT_DAMPING = 0.3;
/** Tokens that go through a layer at once, unless one chunk is longer. */
const BATCH_TOKENS = 2048;
/** To be raised with any change of what {@linkcode driftCorrected} gives for what it is given. */
const DRIFT_VERSION = 1;

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
  /** Threads of the native engine. */
  readonly threads: number;
  /** Which part of the change is made, 0 to 1; by default what each half of the text says of the other. */
  readonly share?: number;
  /** Times the mean of the inputs' squares is added to each; 0.3 by default. */
  readonly damping?: number;
}

/**
 * Quantizes the pass that is coded layer by layer, each against the inputs that the layers before it,
 * quantized, give: with X the original's inputs and Z those, the target of a matrix M is
 * M + share · (ZᵀZ + λ)⁻¹ Zᵀ(X - Z) M, where all of it makes Z M nearest to X M (Qronos, GPTAQ) on the
 * text that was read, and less of it on others. Inputs of a layer are seen before each of its groups of
 * matrices, as those before it within the layer change them too. Throws {@linkcode InputError} if the
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
    original: prepareWeights(model, weights, false),
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

/** How passes are corrected. */
interface Correction {
  readonly model: TransformerDescription;
  readonly original: PreparedWeights;
  readonly batches: readonly Batch[];
  readonly backend: BackendName;
  readonly threads: number;
  readonly share: number | undefined;
  readonly damping: number;
}

/** One pass over all matrices. */
class DriftPass {
  readonly #tasks: readonly QuantizeTask[];
  readonly #inner: RunTasks;
  readonly #correction: Correction;
  readonly #options: RunOptions<"quantize">;
  readonly #results: CountedMatrix[];
  /** The weights as far as they are quantized, else the original's. */
  readonly #quantized: Map<string, PreparedTensor>;
  #done = 0;

  constructor(
    tasks: readonly QuantizeTask[],
    inner: RunTasks,
    correction: Correction,
    options: RunOptions<"quantize">,
  ) {
    this.#tasks = tasks;
    this.#inner = inner;
    this.#correction = correction;
    this.#options = options;
    this.#results = new Array<CountedMatrix>(tasks.length);
    this.#quantized = new Map(correction.original);
  }

  async run(): Promise<CountedMatrix[]> {
    const { model, original, backend } = this.#correction;
    const numbers = new Map(this.#tasks.map(({ matrix: { name } }, i) => [name, i]));
    // Layers may share matrices: the first that comes to one has it quantized.
    const layers = layerGroups(model).map((groups) =>
      groups.map(({ size, linears }) => {
        const names = linears.map(({ weight }) => weight);
        const own = names.flatMap((name) => numbers.get(name) ?? []);
        for (const name of names) numbers.delete(name);
        return { size, first: names[0]!, numbers: own };
      })
    );
    await this.#quantize([...numbers.values()]);
    const engine = await openDriftEngine(backend, this.#correction);
    try {
      const theirs = engine.walk(original), ours = engine.walk(this.#quantized);
      for (const groups of layers) {
        const wanted = groups.filter(({ numbers }) => numbers.length > 0);
        const inputs = await theirs.advance(wanted.map(({ first }) => first));
        for (const { size, first, numbers } of wanted) {
          this.#options.signal?.throwIfAborted();
          const given = await ours.look([first]);
          const change = await this.#change(engine, inputs, given, first, size);
          const targets: Float32Array[] = [];
          for (const number of numbers) targets.push(await this.#target(engine, change, number));
          await this.#quantize(numbers, targets);
        }
        await ours.advance();
      }
    } finally {
      await engine.close();
    }
    return this.#results;
  }

  /** Quantizes some matrices, as they are or to be near to targets. */
  async #quantize(numbers: readonly number[], targets?: readonly Float32Array[]): Promise<void> {
    if (numbers.length === 0) return;
    const { onDone, onResult, signal } = this.#options;
    const tasks = numbers.map((number, i) => {
      const task = this.#tasks[number]!;
      return targets === undefined ? task : withTarget(task, targets[i]!);
    });
    const results = await this.#inner("quantize", tasks, {
      onDone: (done) => onDone?.(this.#done + done),
      onResult: (result, i) => onResult?.(result, numbers[i]!),
      partOf: this.#tasks.length,
      ...(signal && { signal }),
    });
    this.#done += numbers.length;
    for (const [i, result] of results.entries()) {
      const number = numbers[i]!, task = this.#tasks[number]!, { name } = task.matrix;
      this.#results[number] = result;
      const given = this.#quantized.get(name);
      if (given !== undefined) this.#quantized.set(name, decodedTensor(task, result, given));
    }
  }

  /** What is to be added to matrices, by which they are multiplied; undefined where that is nothing. */
  async #change(
    engine: DriftEngine,
    theirs: readonly LinearInputs[],
    ours: readonly LinearInputs[],
    name: string,
    size: number,
  ): Promise<Float32Array | undefined> {
    const halves = [noDrift(size), noDrift(size)] as const;
    for (const [i, own] of ours.entries()) {
      await engine.add(halves[i % 2]!, theirs[i]!.get(name)!, own.get(name)!, size);
    }
    return await driftChange(halves, size, this.#correction, engine.multiply);
  }

  /** The values that a matrix is quantized to be near to. */
  async #target(
    engine: DriftEngine,
    change: Float32Array | undefined,
    number: number,
  ): Promise<Float32Array> {
    const { matrix } = this.#tasks[number]!;
    const weights = valuesOf(matrix as HeldMatrix);
    if (change === undefined) return weights;
    const { rows, columns } = matrix;
    const product = await engine.multiply(change, weights, { rows, depth: rows, columns });
    return shareFloat32Array(weights.map((value, at) => value + product[at]!));
  }
}

/** Groups of each layer, without the head's. */
function layerGroups(model: TransformerDescription): InputGroup[][] {
  const groups = inputGroups(model);
  const each = (groups.length - 1) / model.layers.length;
  return model.layers.map((_, l) => groups.slice(each * l, each * (l + 1)));
}

/** A matrix before it is divided by its steps, `[inputs, outputs]`. */
function valuesOf({ rows, columns, held }: HeldMatrix): Float32Array {
  const { stored, transposed } = held;
  return makeValues({ rows, columns }, { stored, transposed });
}

/** The task with other values, divided by the same steps. */
function withTarget(task: QuantizeTask, stored: Float32Array): QuantizeTask {
  if (!isHeld(task.matrix)) throw new TypeError(`${task.matrix.name}: has no steps`);
  const { factors } = task.matrix.held;
  const held = { stored, transposed: false, ...(factors && { factors }) };
  return { ...task, matrix: { ...task.matrix, held } };
}

/** What a decoder makes of a matrix' indices, as the checkpoint has it. */
function decodedTensor(
  { states, matrix }: QuantizeTask,
  { indices }: CountedMatrix,
  { shape, outputsFirst }: PreparedTensor,
): PreparedTensor {
  const { rows, columns, held: { transposed, factors } } = matrix as HeldMatrix;
  const trellis = createTrellis(states);
  const values = new Float32Array(rows * columns);
  forEachDiagonal({ rows, columns }, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const index = (indices as Int32Array)[position + t]!;
      const i = row + t, j = column - t;
      values[i * columns + j] = reconstruct(trellis, state & 1, index) /
        (factors!.rows[i]! * factors!.columns[j]!);
      state = trellis.transitions[2 * state + (index & 1)]!;
    }
    return state;
  });
  return { shape, outputsFirst, data: transposed ? transpose(values, rows, columns) : values };
}
