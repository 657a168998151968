import * as tf from "@tensorflow/tfjs";
import { fromBase64 } from "../../data/base64.ts";
import { LOCAL_SPLINES_WASM } from "../kernels/local_splines_wasm.ts";
import type { Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import type { Basis } from "./basis.ts";
import { evaluatePoints } from "./evaluate_basis.ts";
import { canReadSynchronously } from "./expansion.ts";

interface Kernels {
  readonly memory: WebAssembly.Memory;
  forward(...shapesAndAddresses: number[]): void;
  backward(...shapesAndAddresses: number[]): void;
}

let loaded: Kernels | undefined;

/** The compiled kernels; made once, from bytes in the source, so that any runtime can load them. */
function kernels(): Kernels {
  if (loaded === undefined) {
    const module = new WebAssembly.Module(fromBase64(LOCAL_SPLINES_WASM));
    loaded = new WebAssembly.Instance(module, {}).exports as unknown as Kernels;
  }
  return loaded;
}

/** Bytes of memory that the kernels hold; they grow to the largest call and stay. */
export function kernelMemoryBytes(): number {
  return kernels().memory.buffer.byteLength;
}

/** Arrays laid out one after the other in the memory of the kernels. */
class Workspace {
  readonly #memory = kernels().memory;
  /** Past the data of the module; the stub runtime keeps nothing else. */
  #end = 65536;

  /** The address of a copy of `values`, or of that many zeros. */
  place(values: Float32Array | Int32Array | number): number {
    const length = typeof values === "number" ? values : values.length;
    const address = this.#end;
    this.#end += 16 * Math.ceil(length / 4);
    const missing = this.#end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / 65536));
    if (values instanceof Int32Array) new Int32Array(this.#memory.buffer, address).set(values);
    else {this.#view(address, length).set(
        typeof values === "number" ? new Float32Array(length) : values,
      );}
    return address;
  }

  /** A copy of `length` numbers. */
  read(address: number, length: number): Float32Array {
    return this.#view(address, length).slice();
  }

  #view(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }
}

/** The functions that are not 0 at each point. */
interface LocalValues {
  readonly first: Int32Array;
  readonly values: Float32Array;
}

/**
 * The sums over inputs i and functions j of B_j(x_i) weights[i, j, o], [batch, outputs], as the dense
 * expansion times the weights gives them, but touching only the `support` weights of each point:
 * time and memory do not grow with the number of intervals. Differentiable once, with respect to
 * both arguments; on the CPU and WASM backends.
 *
 * @param bases One basis for all inputs, or one for each input; all of the same size.
 * @param x [batch, inputs].
 * @param weights [inputs, basis size, outputs].
 * @throws RangeError as the extrapolation policy says, if the shapes do not fit, or on WebGPU.
 *
 * ```ts
 * import { applyLocalSplines, createBsplines, uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const basis = createBsplines(uniformGrid({ intervals: 32 }));
 * const y = applyLocalSplines([basis], tf.tensor2d([[0.5, 0.1]]), tf.ones([2, 35, 3]));
 * assert.deepEqual(y.shape, [1, 3]); // each 2, because B-splines sum to 1
 * ```
 */
export function applyLocalSplines(
  bases: readonly Basis[],
  x: Tensor2D,
  weights: Tensor3D,
): Tensor2D {
  const [batch, inputs] = x.shape, [weightInputs, size, outputs] = weights.shape;
  const isBasisCount = bases.length === 1 || bases.length === inputs;
  if (inputs !== weightInputs || size !== bases[0]!.size || !isBasisCount) {
    throw new RangeError(
      `weights [${weights.shape}] and ${bases.length} bases for ${inputs} inputs`,
    );
  }
  if (!canReadSynchronously()) {
    throw new RangeError(
      `local splines need the backend cpu or wasm, not ${tf.getBackend()}`,
    );
  }
  const support = bases[0]!.support;
  const shapes = [batch, inputs, outputs, size, support];
  const apply = tf.customGrad((...args) => {
    const [points, matrix, save] = args as unknown as [Tensor2D, Tensor3D, tf.GradSaveFunc];
    save([points, matrix]);
    const workspace = new Workspace();
    const { first, values } = evaluateLocally(bases, points, 0);
    const addresses = [first, values, matrix.dataSync() as Float32Array].map((each) =>
      workspace.place(each)
    );
    const sums = workspace.place(batch * outputs);
    kernels().forward(...shapes, ...addresses, sums);
    const value = tf.tensor2d(workspace.read(sums, batch * outputs), [batch, outputs]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      differentiate(bases, shapes, dy, saved[0] as Tensor2D, saved[1] as Tensor3D);
    return { value, gradFunc };
  });
  return apply(x, weights) as Tensor2D;
}

function differentiate(
  bases: readonly Basis[],
  shapes: readonly number[],
  dy: tf.Tensor,
  x: Tensor2D,
  weights: Tensor3D,
): tf.Tensor[] {
  const workspace = new Workspace();
  const { first, values } = evaluateLocally(bases, x, 0);
  const { values: slopes } = evaluateLocally(bases, x, 1);
  const arrays = [first, values, slopes, weights.dataSync() as Float32Array];
  const addresses = [...arrays, dy.dataSync() as Float32Array].map((each) => workspace.place(each));
  const weightGradients = workspace.place(weights.size), inputGradients = workspace.place(x.size);
  kernels().backward(...shapes, ...addresses, weightGradients, inputGradients);
  return [
    tf.tensor2d(workspace.read(inputGradients, x.size), x.shape),
    tf.tensor3d(workspace.read(weightGradients, weights.size), weights.shape),
  ];
}

function evaluateLocally(bases: readonly Basis[], x: Tensor2D, derivative: number): LocalValues {
  const { first, values, slopes } = evaluatePoints(
    bases,
    x.dataSync() as Float32Array,
    derivative === 1,
  );
  return { first, values: Float32Array.from(derivative === 0 ? values : slopes) };
}
