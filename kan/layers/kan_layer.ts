import * as tf from "@tensorflow/tfjs";
import type { Basis } from "../bases/basis.ts";
import { gridOf } from "../bases/bspline.ts";
import { applyBase, type BaseFunction } from "../bases/base_function.ts";
import { applyDenseEdges, livingBaseWeights, scaledCoefficients } from "../bases/dense_edges.ts";
import type { EdgeTensors } from "../bases/edge_tensors.ts";
import { canReadSynchronously, expandBasis } from "../bases/expansion.ts";
import { applyLocalEdges } from "../bases/local_edges.ts";
import type { Grid } from "../bases/grid.ts";
import {
  createKanLayerModel,
  type KanLayerModel,
  type KanLayerOptions,
  nodeCount,
} from "../model/layer_model.ts";
import { requireModel } from "../model/model_checks.ts";
import { matMul } from "../numeric/mat_mul.ts";
import { applySymbolic, type SymbolicEdge, symbolicFunction } from "../model/symbolic_functions.ts";
import type { Tensor, Tensor2D, Tensor3D, Variable } from "../numeric/tensor_types.ts";

/**
 * How a layer evaluates its splines: `"dense"` expands every basis function and multiplies matrices,
 * on any backend; `"local"` touches only the functions that are not 0, on the CPU and WASM backends;
 * `"auto"` takes whichever is faster for the basis on the current backend. They round differently.
 */
export type SplinePath = "auto" | "dense" | "local";

/**
 * A trainable layer of KAN edges on tfjs; {@link KanLayerModel} says what it computes. The owner
 * disposes it.
 *
 * ```ts
 * import { createRandom } from "@kanpress/kanpress/kan";
 * import { KanLayer } from "@kanpress/kanpress/kan/layers";
 * import { uniformGrid } from "@kanpress/kanpress/kan/bases";
 * import * as tf from "@tensorflow/tfjs";
 * import assert from "node:assert";
 *
 * const layer = KanLayer.create({
 *   inputDim: 2,
 *   outputDim: 3,
 *   grid: uniformGrid({ intervals: 5, order: 3, range: [-1, 1] }),
 *   random: createRandom(0),
 * });
 * const y = layer.apply(tf.tensor2d([[0.1, -0.4]]));
 * assert.deepEqual(y.shape, [1, 3]);
 * layer.dispose();
 * ```
 */
export class KanLayer {
  /** Number of inputs. */
  readonly inputDim: number;
  /** Number of sums; of outputs too, if nothing is multiplied. */
  readonly outputDim: number;
  /** Number of factors of each multiplication node. */
  readonly products: readonly number[];
  /** One basis for all inputs, or one for each input. */
  readonly bases: readonly Basis[];
  /** The base function b. */
  readonly base: BaseFunction;
  /** How the splines are evaluated. */
  readonly path: SplinePath;
  /** Spline coefficients [inputDim, basis size, outputDim]. */
  readonly coefficients: Variable & Tensor3D;
  /** Base weights [inputDim, outputDim]; absent if `base` is `"none"`. */
  readonly baseWeights: (Variable & Tensor2D) | undefined;
  /** Factors of the splines [inputDim, outputDim]; absent if switched off. */
  readonly splineScales: (Variable & Tensor2D) | undefined;
  /** Parameters of the symbolic edges [edges, 4], as in {@link SymbolicEdge}; absent if none. */
  readonly symbolicScales: (Variable & Tensor2D) | undefined;
  /** 1 for an edge with a spline, else 0, [inputDim, outputDim]; absent if all have one. */
  readonly mask: Tensor2D | undefined;
  readonly #symbolicEdges: readonly { readonly edge: number; readonly name: string }[];

  private constructor(model: KanLayerModel, path: SplinePath) {
    const { inputDim, outputDim, bases } = model;
    this.inputDim = inputDim;
    this.outputDim = outputDim;
    this.products = model.products;
    this.bases = bases;
    this.base = model.base;
    this.path = path;
    const matrix = (values: ArrayLike<number>, rows: number, columns: number) =>
      tf.tensor2d(Float32Array.from(values), [rows, columns]);
    const trained = (values: ArrayLike<number>, rows: number, columns: number) =>
      values.length === 0 ? undefined : toVariable(matrix(values, rows, columns));
    this.coefficients = toVariable(
      tf.tensor3d(Float32Array.from(model.coefficients), [inputDim, bases[0]!.size, outputDim]),
    );
    this.baseWeights = trained(model.baseWeights, inputDim, outputDim);
    this.splineScales = trained(model.splineScales, inputDim, outputDim);
    const forms = [...model.symbolic];
    this.#symbolicEdges = forms.map(([edge, { name }]) => ({ edge, name }));
    const scales = forms.flatMap(([, form]) => {
      return [form.inputScale, form.inputShift, form.outputScale, form.outputShift];
    });
    this.symbolicScales = trained(scales, forms.length, 4);
    this.mask = model.mask.every((alive) => alive === 1)
      ? undefined
      : tf.keep(matrix(model.mask, inputDim, outputDim));
  }

  /**
   * A new layer with random weights; see {@link createKanLayerModel}.
   *
   * @throws RangeError if an option is out of its range.
   */
  static create(options: KanLayerOptions, path: SplinePath = "auto"): KanLayer {
    return new KanLayer(createKanLayerModel(options), path);
  }

  /**
   * A trainable copy of `model`, rounded to float32.
   *
   * @throws RangeError if the model's arrays do not fit each other or hold a number that is not finite.
   */
  static fromModel(model: KanLayerModel, path: SplinePath = "auto"): KanLayer {
    requireModel({ layers: [model] });
    return new KanLayer(model, path);
  }

  /** The current weights as a plain value; waits for the backend. */
  async toModel(): Promise<KanLayerModel> {
    const read = async (tensor: tf.Tensor | undefined) =>
      Float64Array.from(tensor === undefined ? [] : await tensor.data());
    const mask = this.mask === undefined
      ? new Uint8Array(this.inputDim * this.outputDim).fill(1)
      : Uint8Array.from(await this.mask.data());
    const scales = await read(this.symbolicScales);
    const symbolic = new Map(
      this.#symbolicEdges.map(({ edge, name }, at): [number, SymbolicEdge] => {
        const [a, b, c, d] = scales.subarray(4 * at, 4 * at + 4);
        return [edge, { name, inputScale: a!, inputShift: b!, outputScale: c!, outputShift: d! }];
      }),
    );
    return {
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      products: this.products,
      bases: this.bases,
      base: this.base,
      coefficients: await read(this.coefficients),
      baseWeights: await read(this.baseWeights),
      splineScales: await read(this.splineScales),
      mask,
      symbolic,
    };
  }

  /** The spline grid that all inputs share, or undefined if there is none. */
  get grid(): Grid | undefined {
    return this.bases.length === 1 ? gridOf(this.bases[0]!) : undefined;
  }

  /** The trained variables: coefficients, then those present of the others, in their order above. */
  get variables(): Variable[] {
    return [this.coefficients, this.baseWeights, this.splineScales, this.symbolicScales]
      .filter((variable) => variable !== undefined) as Variable[];
  }

  /**
   * The nodes of the layer for inputs `x` [batch, inputDim]: [batch, nodes], differentiable with
   * respect to `x` and the variables. There are `outputDim` nodes unless some are multiplied.
   *
   * @throws RangeError if the number of inputs is wrong, or as the extrapolation policy says.
   */
  apply(x: Tensor2D): Tensor2D {
    this.#requireInputs(x);
    return tf.tidy((): Tensor2D => this.#toNodes(x, applyEdges(this.#edges(), x, this.path)));
  }

  /**
   * As {@link apply}, and the output of every spline edge, [batch, inputDim, outputDim]; these take
   * `inputDim` times the memory of the sums.
   *
   * @throws RangeError as `apply` does.
   */
  applyWithEdges(x: Tensor2D): { nodes: Tensor2D; edges: Tensor3D } {
    this.#requireInputs(x);
    return tf.tidy(() => {
      const expansion = expandBasis(this.bases, x).transpose<Tensor3D>([1, 0, 2]);
      let edges = tf.matMul(expansion, scaledCoefficients(this.#edges())).transpose<Tensor3D>([
        1,
        0,
        2,
      ]);
      const baseWeights = livingBaseWeights(this.#edges());
      if (baseWeights !== undefined) {
        edges = edges.add(applyBase(this.base, x).expandDims(2).mul(baseWeights.expandDims(0)));
      }
      return { nodes: this.#toNodes(x, edges.sum<Tensor2D>(1)), edges };
    });
  }

  /** Frees the memory of the layer. */
  dispose(): void {
    for (const variable of this.variables) variable.dispose();
    this.mask?.dispose();
  }

  #requireInputs(x: Tensor): void {
    if (x.rank !== 2 || x.shape[1] !== this.inputDim) {
      throw new RangeError(`the layer takes [batch, ${this.inputDim}], got [${x.shape}]`);
    }
  }

  #edges(): EdgeTensors {
    const { bases, base, coefficients, splineScales, baseWeights, mask } = this;
    return { bases, base, coefficients, splineScales, baseWeights, mask };
  }

  #toNodes(x: Tensor2D, splineSums: Tensor2D): Tensor2D {
    const sums = this.symbolicScales === undefined
      ? splineSums
      : splineSums.add<Tensor2D>(this.#symbolicSums(x, this.symbolicScales));
    if (this.products.length === 0) return sums;
    const batch = x.shape[0];
    const plain = nodeCount(this) - this.products.length;
    const nodes = plain === 0 ? [] : [sums.slice([0, 0], [batch, plain])];
    let at = plain;
    for (const count of this.products) {
      let product: Tensor = sums.slice([0, at], [batch, 1]);
      for (let factor = 1; factor < count; factor++) {
        product = product.mul(sums.slice([0, at + factor], [batch, 1]));
      }
      nodes.push(product as Tensor2D);
      at += count;
    }
    return tf.concat(nodes, 1);
  }

  /** What the symbolic edges add to the sums. */
  #symbolicSums(x: Tensor2D, scales: Tensor2D): Tensor2D {
    const batch = x.shape[0];
    const outputs = this.#symbolicEdges.map(({ edge, name }, at) => {
      const input = x.slice([0, Math.floor(edge / this.outputDim)], [batch, 1]);
      const [a, b, c, d] = [0, 1, 2, 3].map((column) => scales.slice([at, column], [1, 1]));
      return applySymbolic(symbolicFunction(name), input.mul(a!).add(b!)).mul(c!).add(d!);
    });
    // Not by oneHot, which refuses a single column.
    const route = this.#symbolicEdges.map(({ edge }) => {
      return Array.from({ length: this.outputDim }, (_, o) => o === edge % this.outputDim ? 1 : 0);
    });
    return matMul(tf.concat(outputs as tf.Tensor2D[], 1), tf.tensor2d(route));
  }
}

/** The sums of all edges at inputs `x` [batch, inputs], [batch, outputs]. */
export function applyEdges(edges: EdgeTensors, x: Tensor2D, path: SplinePath): Tensor2D {
  const isLocal = path === "local" || (path === "auto" && isLocalFaster(edges.bases));
  return isLocal ? applyLocalEdges(edges, x) : applyDenseEdges(edges, x);
}

/** Where few of the functions are not 0, on tensors in plain memory. */
function isLocalFaster([basis]: readonly Basis[]): boolean {
  return canReadSynchronously() && basis!.support < basis!.size;
}

function toVariable<R extends tf.Rank>(initial: tf.Tensor<R>): tf.Variable<R> {
  const variable = tf.variable(initial);
  initial.dispose();
  return variable;
}
