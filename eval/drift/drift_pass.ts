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
import type { PreparedTensor, PreparedWeights } from "../weights/prepared_weights.ts";
import { driftChange } from "./drift_change.ts";
import { type Batch, type DriftEngine, type LinearInputs, noDrift } from "./drift_engine.ts";
import { openDriftEngine } from "./open_drift_engine.ts";

/** How passes are corrected. */
export interface Correction {
  readonly model: TransformerDescription;
  /** The original's weights. */
  readonly original: PreparedWeights;
  /** What both models read. */
  readonly batches: readonly Batch[];
  readonly backend: BackendName;
  /** Threads of the native engine. */
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
