import * as tf from "@tensorflow/tfjs";
import type { EdgeBatch, EdgeGradients } from "../kernels/edge_batch.ts";
import { edgeKernels } from "../kernels/edge_kernels.ts";
import type { Tensor, Tensor2D } from "../numeric/tensor_types.ts";
import { type BaseFunction, evaluateBase } from "./base_function.ts";
import { differentiateDenseEdges, type EdgeInput } from "./dense_edges.ts";
import type { EdgeTensors } from "./edge_tensors.ts";
import { evaluatePointsFast } from "./evaluate_basis.ts";
import { canReadSynchronously } from "./expansion.ts";

type Single = Float32Array;
type Named = Record<string, Tensor>;

const NONE = new Float32Array(0);

/** What tfjs calls to record an operation; unlike `customGrad`, it asks only for needed gradients. */
interface Recorder {
  runKernelFunc(operation: {
    inputs: Named;
    forwardFunc(backend: unknown, save: (tensors: Tensor[]) => void): Tensor;
    backwardsFunc(dy: Tensor, saved: Tensor[]): Record<string, () => Tensor>;
  }): Tensor;
}

/**
 * An operation on tensors with names.
 *
 * @param gradient The gradient with respect to an input, given that of the value and all inputs.
 */
function record(
  inputs: Named,
  value: () => Tensor,
  gradient: (name: string, dy: Tensor, inputs: Named) => Tensor,
): Tensor {
  const names = Object.keys(inputs);
  return (tf.engine() as unknown as Recorder).runKernelFunc({
    inputs,
    forwardFunc(_, save) {
      save(Object.values(inputs));
      return value();
    },
    backwardsFunc(dy, saved) {
      const kept = Object.fromEntries(names.map((name, i) => [name, saved[i]!]));
      return Object.fromEntries(names.map((name) => [name, () => gradient(name, dy, kept)]));
    },
  });
}

/**
 * As `applyDenseEdges`, but touching only the functions that are not 0 at each point: time and
 * memory do not grow with the number of intervals. On the CPU and WASM backends. Differentiable any
 * number of times, from the second on by way of the dense expansion.
 *
 * @throws RangeError as the extrapolation policy says, or on WebGPU.
 */
export function applyLocalEdges(edges: EdgeTensors, x: Tensor2D): Tensor2D {
  if (!canReadSynchronously()) {
    throw new RangeError(`local splines need the backend cpu or wasm, not ${tf.getBackend()}`);
  }
  const { coefficients, splineScales, baseWeights } = edges;
  const inputs = {
    x,
    coefficients,
    ...(splineScales && { splineScales }),
    ...(baseWeights && { baseWeights }),
  };
  const pass = new LocalPass(edges, x);
  const sums = record(inputs, () => pass.sums(), (name, dy, kept) => pass.gradient(name, dy, kept));
  return sums as Tensor2D;
}

/** One forward pass, and what its backward passes share. */
class LocalPass {
  readonly #edges: EdgeTensors;
  readonly #points: Single;
  readonly #base: BaseFunction;
  readonly #batch: EdgeBatch<Single>;
  readonly #mask: Single | undefined;
  #known: { dataId: object; gradients: EdgeGradients<Single> } | undefined;

  constructor(edges: EdgeTensors, x: Tensor2D) {
    const { bases, base, coefficients, splineScales, baseWeights, mask } = edges;
    const [, size, outputs] = coefficients.shape, [rows, inputs] = x.shape;
    const points = read(x);
    this.#edges = edges;
    this.#points = points;
    this.#base = baseWeights === undefined ? "none" : base;
    this.#mask = mask && read(mask);
    this.#batch = {
      rows,
      inputs,
      outputs,
      size,
      support: bases[0]!.support,
      ...evaluatePointsFast(bases, points, inputs, false),
      ...evaluateBase(this.#base, points, false),
      weights: read(coefficients),
      factors: splineScales === undefined ? this.#mask ?? NONE : this.#living(read(splineScales)),
      baseWeights: baseWeights === undefined ? NONE : this.#living(read(baseWeights)),
    };
  }

  sums(): Tensor {
    const { rows, outputs } = this.#batch;
    return tf.tensor2d(edgeKernels.forward(this.#batch, false).sums, [rows, outputs]);
  }

  /** The gradient with respect to one of the inputs. */
  gradient(name: string, dy: Tensor, inputs: Named): Tensor {
    // While a tape runs, the gradient will be differentiated itself.
    if (tf.engine().state.gradientDepth > 0) {
      const { x, ...trained } = inputs;
      const edges = { ...this.#edges, ...trained };
      return differentiateDenseEdges(name as EdgeInput, edges, x as Tensor2D, dy as Tensor2D);
    }
    return tf.tensor(this.#gradientOf(name, dy), inputs[name]!.shape);
  }

  #gradientOf(name: string, dy: Tensor): Single {
    // tfjs asks for x first: if it does not, the input gradients are not needed.
    if (this.#known?.dataId !== dy.dataId) {
      const batch = name === "x" ? this.#withSlopes() : this.#batch;
      const gradients = edgeKernels.backward(batch, read(dy), NONE);
      this.#known = { dataId: dy.dataId, gradients };
    }
    const { inputs, weights, factors, baseWeights } = this.#known!.gradients;
    switch (name) {
      case "x":
        return inputs;
      case "coefficients":
        return weights;
      case "splineScales":
        return this.#living(factors);
      default:
        return this.#living(baseWeights);
    }
  }

  #withSlopes(): EdgeBatch<Single> {
    const { slopes } = evaluatePointsFast(
      this.#edges.bases,
      this.#points,
      this.#batch.inputs,
      true,
    );
    const { baseSlopes } = evaluateBase(this.#base, this.#points, true);
    return { ...this.#batch, slopes, baseSlopes };
  }

  /** Values [inputs, outputs], 0 where there is no edge. */
  #living(values: Single): Single {
    const mask = this.#mask;
    return mask === undefined ? values : values.map((value, edge) => value * mask[edge]!);
  }
}

function read(tensor: Tensor): Single {
  return tensor.dataSync() as Single;
}
