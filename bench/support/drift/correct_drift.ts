import * as tf from "@tensorflow/tfjs";
import { transpose } from "../../../data/transpose.ts";
import type { TransformerDescription } from "../../../eval/architectures/description.ts";
import { type InputGroup, inputGroups } from "../../../eval/calibration/input_groups.ts";
import type { PreparedTensor } from "../../../eval/weights/prepared_weights.ts";
import type { HeldMatrix } from "../../../hierarchy/matrix/held_matrix.ts";
import { isHeld, makeValues } from "../../../hierarchy/matrix/held_matrix.ts";
import { forEachDiagonal } from "../../../hierarchy/scan/pieces.ts";
import { createTrellis, reconstruct } from "../../../hierarchy/scan/trellis.ts";
import type {
  CountedMatrix,
  QuantizeTask,
  TaskArguments,
  TaskKind,
} from "../../../hierarchy/workers/coding_tasks.ts";
import type { RunOptions, RunTasks, TasksThrough } from "../../../hierarchy/workers/task_runner.ts";
import { shareFloat32Array } from "../../../workers/shared_array.ts";
import { type Batch, LayerInputs } from "./layer_inputs.ts";
import { solveSymmetric } from "./solve_symmetric.ts";

/** What is corrected by what. */
export interface DriftCorrection {
  readonly model: TransformerDescription;
  /** The original's weights. */
  readonly original: ReadonlyMap<string, PreparedTensor>;
  /** What both models read. */
  readonly batches: readonly Batch[];
  /** Which part of the change is made, 0 to 1: all of it fits the tokens read, and others worse. */
  readonly share: number;
  /** Times the mean of the inputs' squares is added to each. */
  readonly damping: number;
  /** States of the pass whose codes are kept; passes before it are left as they are. */
  readonly states: number;
  /** Called as layers are done. */
  readonly onLayer?: (done: number, layers: number) => void;
}

/**
 * Quantizes layer by layer, each against the inputs that the layers before it, quantized, give: with X
 * the original's inputs and Z those, the target of a matrix M is M + share · (ZᵀZ + λ)⁻¹ Zᵀ(X - Z) M, where all
 * of it makes Z M nearest to X M (Qronos, GPTAQ). Inputs of a layer are seen before each of its groups of
 * matrices, as those before it within the layer change them too.
 */
export function driftCorrected(correction: DriftCorrection): TasksThrough {
  return (inner) => {
    const run: RunTasks = async <Kind extends TaskKind>(
      kind: Kind,
      tasks: readonly TaskArguments[Kind][],
      options?: RunOptions<Kind>,
    ) => {
      const [first] = tasks;
      if (kind !== "quantize" || (first as QuantizeTask).states !== correction.states) {
        return await inner(kind, tasks, options);
      }
      const quantize = (some: readonly QuantizeTask[]) => inner("quantize", some);
      const results = await quantizeInOrder(tasks as readonly QuantizeTask[], quantize, correction);
      return results as Awaited<ReturnType<typeof inner<Kind>>>;
    };
    return run;
  };
}

type Quantize = (tasks: readonly QuantizeTask[]) => Promise<CountedMatrix[]>;

async function quantizeInOrder(
  tasks: readonly QuantizeTask[],
  quantize: Quantize,
  { model, original, batches, share, damping, onLayer }: DriftCorrection,
): Promise<CountedMatrix[]> {
  const results = new Array<CountedMatrix>(tasks.length);
  const quantized = new Map(original);
  const numbers = new Map(tasks.map(({ matrix: { name } }, i) => [name, i]));
  const run = async (some: readonly number[], targets?: readonly Float32Array[]) => {
    const changed = some.map((number, i) =>
      targets === undefined ? tasks[number]! : withTarget(tasks[number]!, targets[i]!)
    );
    const found = await quantize(changed);
    found.forEach((result, i) => {
      const number = some[i]!, task = tasks[number]!;
      results[number] = result;
      const given = quantized.get(task.matrix.name);
      if (given !== undefined) quantized.set(task.matrix.name, valuesOf(task, result, given));
    });
  };
  const layers = layerGroups(model).map((groups) =>
    groups.map((group) =>
      namesIn(group).map((name) => numbers.get(name)).filter((n) => n !== undefined)
    )
  );
  const corrected = new Set(layers.flat(2));
  await run([...tasks.keys()].filter((i) => !corrected.has(i)));
  const theirs = new LayerInputs(model, original, batches);
  const ours = new LayerInputs(model, quantized, batches);
  for (const [l, groups] of layers.entries()) {
    const firsts = layerGroups(model)[l]!.map((group) => namesIn(group)[0]!);
    const inputs = theirs.inputs(firsts);
    for (const [g, some] of groups.entries()) {
      const name = firsts[g]!;
      const sums = driftOf(inputs, ours.inputs([name]), name, tasks[some[0]!]!.matrix.rows);
      const targets = some.map((number) => {
        const { matrix } = tasks[number]!;
        return target(weightsOf(matrix as HeldMatrix), sums, { ...matrix, share, damping });
      });
      tf.dispose([sums.drift]);
      await run(some, targets);
    }
    theirs.advance();
    ours.advance();
    onLayer?.(l + 1, layers.length);
  }
  return results;
}

/** Groups of each layer; those behind the last layer are the head. */
function layerGroups(model: TransformerDescription): InputGroup[][] {
  const groups = inputGroups(model);
  return model.layers.map((_, l) => groups.slice(4 * l, 4 * l + 4));
}

function namesIn({ linears }: InputGroup): string[] {
  return linears.map(({ weight }) => weight);
}

interface Drift {
  /** ZᵀZ, row-major. */
  readonly moment: Float32Array;
  /** Zᵀ(X - Z). */
  readonly drift: tf.Tensor2D;
}

/** Sums over all tokens. */
function driftOf(
  theirs: readonly ReadonlyMap<string, Float32Array>[],
  ours: readonly ReadonlyMap<string, Float32Array>[],
  name: string,
  size: number,
): Drift {
  let moment: tf.Tensor2D = tf.zeros([size, size]), drift: tf.Tensor2D = tf.zeros([size, size]);
  for (const [i, own] of ours.entries()) {
    const [nextMoment, nextDrift] = tf.tidy(() => {
      const z = tf.tensor2d(own.get(name)!, [own.get(name)!.length / size, size]);
      const x = tf.tensor2d(theirs[i]!.get(name)!, z.shape);
      // Transposed by itself: products by a transpose are slow.
      const turned = tf.transpose(z);
      return [
        tf.add(moment, tf.matMul(turned, z)) as tf.Tensor2D,
        tf.add(drift, tf.matMul(turned, tf.sub(x, z))) as tf.Tensor2D,
      ] as const;
    });
    tf.dispose([moment, drift]);
    moment = nextMoment;
    drift = nextDrift;
  }
  const values = moment.dataSync<"float32">().slice();
  moment.dispose();
  return { moment: values, drift };
}

/** The values that a matrix is quantized to be near to. */
function target(
  weights: Float32Array,
  { moment, drift }: Drift,
  { rows, columns, share, damping }: {
    readonly rows: number;
    readonly columns: number;
    readonly share: number;
    readonly damping: number;
  },
): Float32Array {
  const product = tf.tidy(() =>
    tf.matMul(drift, tf.tensor2d(weights, [rows, columns])).dataSync<"float32">().slice()
  );
  const damped = Float64Array.from(moment);
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += moment[i * rows + i]!;
  // Where nothing is left of the inputs, no weight matters.
  if (trace === 0) return weights;
  for (let i = 0; i < rows; i++) damped[i * rows + i]! += damping * trace / rows;
  const change = solveSymmetric(damped, product, rows, columns);
  return shareFloat32Array(weights.map((value, at) => value + share * change[at]!));
}

/** A matrix before it is divided by its steps, `[inputs, outputs]`. */
function weightsOf({ rows, columns, held }: HeldMatrix): Float32Array {
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
function valuesOf(
  { states, matrix }: QuantizeTask,
  { indices }: CountedMatrix,
  { shape, outputsFirst }: PreparedTensor,
): PreparedTensor {
  const { rows, columns, held } = matrix as HeldMatrix;
  const trellis = createTrellis(states);
  const { factors } = held;
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
  const { transposed } = held;
  return { shape, outputsFirst, data: transposed ? transpose(values, rows, columns) : values };
}
