import { isFileArray, loadFileArray } from "../../data/file_array.ts";
import { transpose } from "../../data/transpose.ts";
import { type HeldMatrix, isHeld, makeValues } from "../../hierarchy/matrix/held_matrix.ts";
import { forEachDiagonal } from "../../hierarchy/scan/pieces.ts";
import { createTrellis, reconstruct } from "../../hierarchy/scan/trellis.ts";
import type { CountedMatrix, QuantizeTask } from "../../hierarchy/workers/coding_tasks.ts";
import type { RunOptions, RunTasks } from "../../hierarchy/workers/task_runner.ts";
import { shareFloat32Array } from "../../workers/shared_array.ts";
import type { TransformerDescription } from "../architectures/description.ts";
import { type InputGroup, inputGroups } from "../calibration/input_groups.ts";
import type { BackendName } from "../compute/backend_names.ts";
import { layerLinears } from "../weights/expected_tensors.ts";
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import { driftChange } from "./drift_change.ts";
import type { Batch, DriftEngine } from "./drift_engine.ts";
import { openDriftEngine } from "./open_drift_engine.ts";
import { residualWriters } from "./residual_writers.ts";

/** How passes are corrected. */
export interface Correction {
  readonly model: TransformerDescription;
  /** The original's weights. */
  readonly original: PreparedWeights;
  /** What both models read. */
  readonly batches: readonly Batch[];
  readonly backend: BackendName;
  readonly threads: number;
  /** Which part of the change is made; found from the text if undefined. */
  readonly share: number | undefined;
  /** Times the mean of the inputs' squares is added to each. */
  readonly damping: number;
}

/** One pass over all matrices, layer by layer; runs once. */
export class DriftPass {
  readonly #tasks: readonly QuantizeTask[];
  readonly #inner: RunTasks;
  readonly #correction: Correction;
  readonly #options: RunOptions<"quantize">;
  readonly #results: CountedMatrix[];
  /** The weights as far as they are quantized, else the original's. */
  readonly #quantized: Map<string, PreparedTensor>;
  #done = 0;

  /** The pass of these tasks, which `inner` runs with other targets. */
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

  /** What each task gives; stops with the signal's reason. */
  async run(): Promise<CountedMatrix[]> {
    const { model, backend } = this.#correction;
    const numbers = new Map(this.#tasks.map(({ matrix: { name } }, i) => [name, i]));
    const layerNames = model.layers.map((each) => layerLinears(each).map(({ weight }) => weight));
    const lastLayer = new Map(layerNames.flatMap((each, l) => each.map((name) => [name, l])));
    // Layers may share matrices: the first that comes to one has it quantized.
    const layers = layerGroups(model).map((groups) =>
      groups.map(({ size, linears }) => {
        const names = linears.map(({ weight }) => weight);
        const own = names.flatMap((name) => numbers.get(name) ?? []);
        for (const name of names) numbers.delete(name);
        return { input: { weight: names[0]!, size }, numbers: own };
      })
    );
    await this.#quantize([...numbers.values()]);
    const engine = await openDriftEngine(backend, {
      ...this.#correction,
      quantized: this.#quantized,
      signal: this.#options.signal,
    });
    try {
      for (const [layer, groups] of layers.entries()) {
        const wanted = groups.filter(({ numbers }) => numbers.length > 0);
        const writers = new Set(residualWriters(model.layers[layer]!).map(({ weight }) => weight));
        await engine.enter(wanted.map(({ input }) => input));
        if (layer === 0) this.#forget([...numbers.keys()]);
        for (const { input, numbers } of wanted) {
          this.#options.signal?.throwIfAborted();
          const halves = await engine.compare(input);
          const change = await driftChange(
            ...[halves, input.size, this.#correction] as const,
            (asks) => engine.fit(asks),
          );
          const targets: Float32Array[] = [];
          for (const number of numbers) {
            targets.push(await this.#target(engine, change, number, writers.has(input.weight)));
          }
          await this.#quantize(numbers, targets);
        }
        await engine.leave();
        this.#forget(layerNames[layer]!.filter((name) => lastLayer.get(name) === layer));
      }
    } finally {
      await engine.close();
    }
    return this.#results;
  }

  /** Lets go of what is quantized of matrices that are read no more. */
  #forget(names: readonly string[]): void {
    const { original } = this.#correction;
    for (const name of names) {
      const tensor = original.get(name);
      if (tensor !== undefined) this.#quantized.set(name, tensor);
    }
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

  /**
   * The values that a matrix is quantized to be near to: it is changed as its inputs should be or, if
   * it writes to the residual stream, by what should be added to itself.
   */
  async #target(
    engine: DriftEngine,
    change: Float32Array | undefined,
    number: number,
    isWriter: boolean,
  ): Promise<Float32Array> {
    const { matrix } = this.#tasks[number]!;
    const weights = valuesOf(matrix as HeldMatrix);
    if (change === undefined) return weights;
    const { rows, columns } = matrix;
    const added = isWriter
      ? change
      : await engine.multiply(change, weights, { rows, depth: rows, columns });
    return shareFloat32Array(weights.map((value, at) => value + added[at]!));
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
  const codes = isFileArray(indices) ? loadFileArray(indices) : indices;
  const values = new Float32Array(rows * columns);
  forEachDiagonal({ rows, columns }, ({ row, column, length, position }, start) => {
    let state = start;
    for (let t = 0; t < length; t++) {
      const index = codes[position + t]!;
      const i = row + t, j = column - t;
      values[i * columns + j] = reconstruct(trellis, state & 1, index) /
        (factors!.rows[i]! * factors!.columns[j]!);
      state = trellis.transitions[2 * state + (index & 1)]!;
    }
    return state;
  });
  return { shape, outputsFirst, data: transposed ? transpose(values, rows, columns) : values };
}
