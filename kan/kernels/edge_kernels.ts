import {
  type EdgeBatch,
  type EdgeKernels,
  type Floats,
  type LocalSplines,
  type SplineTables,
  zerosLike,
} from "./edge_batch.ts";
import { edgeReference } from "./edge_reference.ts";
import { EDGES_F32_WASM } from "./edges_f32_wasm.ts";
import { EDGES_F64_WASM } from "./edges_f64_wasm.ts";

type Pass = (...shapesAndAddresses: number[]) => void;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly forward: Pass;
  readonly backward: Pass;
  readonly evaluate: Pass;
  readonly multiply: Pass;
  readonly addProducts: Pass;
}

const PAGE = 65_536;
/** Numbers that a call holds for its samples; larger batches are passed in parts. */
const MOST_NUMBERS = 1 << 21;

/** The compiled kernels by precision; undefined where they cannot be loaded. */
const loaded = new Map<boolean, Exports | undefined>();

/**
 * The kernels of one precision, made once from bytes in the source, so that any runtime can load
 * them; undefined where WebAssembly or its SIMD is missing or forbidden.
 */
function load(isSingle: boolean): Exports | undefined {
  if (!loaded.has(isSingle)) loaded.set(isSingle, compile(isSingle));
  return loaded.get(isSingle);
}

function compile(isSingle: boolean): Exports | undefined {
  try {
    const text = atob(isSingle ? EDGES_F32_WASM : EDGES_F64_WASM);
    const module = new WebAssembly.Module(Uint8Array.from(text, (each) => each.charCodeAt(0)));
    return new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  } catch {
    return undefined;
  }
}

/** Bytes of memory that the kernels hold; they grow to the largest call and stay. */
export function kernelMemoryBytes(): number {
  return [...loaded.values()].reduce((sum, each) => sum + (each?.memory.buffer.byteLength ?? 0), 0);
}

/** The passes through the edges of a layer, by WebAssembly where there is any. */
export const edgeKernels: EdgeKernels = {
  forward(batch, wantsEdges) {
    return withKernels(batch, (kernels) => forward(kernels, batch, wantsEdges)) ??
      edgeReference.forward(batch, wantsEdges);
  },
  backward(batch, sumGradients, edgeGradients) {
    return withKernels(batch, (kernels) => backward(kernels, batch, sumGradients, edgeGradients)) ??
      edgeReference.backward(batch, sumGradients, edgeGradients);
  },
};

/**
 * Cubic splines at points [rows, inputs], in the precision of the points; undefined if there are no
 * kernels: they only repeat what bases compute in plain TypeScript, in float64 bit for bit.
 */
export function evaluateSplines<A extends Floats>(
  tables: SplineTables,
  points: A,
  inputs: number,
  wantsSlopes: boolean,
): LocalSplines<A> | undefined {
  return withKernels({ weights: points }, (kernels) => {
    const first = new Int32Array(points.length);
    const values = zerosLike(points, 4 * points.length);
    const slopes = zerosLike(points, wantsSlopes ? 4 * points.length : 0);
    const space = new Workspace(kernels.memory, points);
    const knotsAt = space.placeDoubles(tables.knots);
    const valueTableAt = space.place(tables.values), slopeTableAt = space.place(tables.slopes);
    const mark = space.end;
    for (const [from, to] of parts(points.length / inputs, 10 * inputs)) {
      space.end = mark;
      const start = from * inputs, count = (to - from) * inputs;
      const pointsAt = space.place(points.subarray(start, start + count));
      const firstAt = space.reserve(count), valuesAt = space.reserve(4 * count);
      const slopesAt = wantsSlopes ? space.reserve(4 * count) : 0;
      const { intervals, isShared, isFlat } = tables;
      const flags = [Number(isShared), intervals, Number(isFlat)];
      const sources = [pointsAt, knotsAt, valueTableAt, slopeTableAt];
      kernels.evaluate(count, inputs, ...flags, ...sources, firstAt, valuesAt, slopesAt);
      first.set(space.integers(firstAt, count), start);
      values.set(space.view(valuesAt, 4 * count), 4 * start);
      if (wantsSlopes) slopes.set(space.view(slopesAt, 4 * count), 4 * start);
    }
    return { first, values, slopes };
  });
}

/** What `run` gives; undefined if there are no kernels, or no memory for them. */
function withKernels<T>(
  { weights }: { readonly weights: Floats },
  run: (kernels: Exports) => T,
): T | undefined {
  const kernels = load(weights instanceof Float32Array);
  if (kernels === undefined) return undefined;
  try {
    return run(kernels);
  } catch (error) {
    if (error instanceof RangeError) return undefined; // Memory does not grow any more.
    throw error;
  }
}

function forward<A extends Floats>(kernels: Exports, batch: EdgeBatch<A>, wantsEdges: boolean) {
  const { rows, inputs, outputs, support, weights, baseWeights } = batch;
  const space = new Workspace(kernels.memory, weights);
  const hasBase = baseWeights.length > 0;
  const weightsAt = placeScaled(kernels, space, batch);
  const baseWeightsAt = hasBase ? space.place(baseWeights) : 0;
  const sums = zerosLike(weights, rows * outputs);
  const edges = zerosLike(weights, wantsEdges ? rows * inputs * outputs : 0);
  const numbers = inputs * (support + 1 + (wantsEdges ? outputs : 0)) + outputs;
  const mark = space.end;
  for (const [from, to] of parts(rows, numbers)) {
    space.end = mark;
    const count = to - from, points = count * inputs;
    const local = (values: Floats, each: number) =>
      space.place(values.subarray(from * inputs * each, to * inputs * each));
    const firstAt = space.placeIntegers(batch.first.subarray(from * inputs, to * inputs));
    const valuesAt = local(batch.values, support);
    const basesAt = hasBase ? local(batch.bases, 1) : 0;
    const sumsAt = space.zeros(count * outputs);
    const edgesAt = wantsEdges ? space.reserve(points * outputs) : 0;
    kernels.forward(
      ...shapeOf(batch, count),
      firstAt,
      valuesAt,
      basesAt,
      weightsAt,
      baseWeightsAt,
      sumsAt,
      edgesAt,
    );
    sums.set(space.view(sumsAt, count * outputs), from * outputs);
    if (wantsEdges) edges.set(space.view(edgesAt, points * outputs), from * inputs * outputs);
  }
  return { sums, edges };
}

function backward<A extends Floats>(
  kernels: Exports,
  batch: EdgeBatch<A>,
  sumGradients: A,
  edgeGradients: A,
) {
  const { rows, inputs, outputs, size, support, weights, factors, baseWeights } = batch;
  const space = new Workspace(kernels.memory, weights);
  const hasBase = baseWeights.length > 0, hasEdges = edgeGradients.length > 0;
  const hasSlopes = batch.slopes.length > 0, hasFactors = factors.length > 0;
  const weightsAt = hasSlopes ? placeScaled(kernels, space, batch) : 0;
  const baseWeightsAt = hasBase ? space.place(baseWeights) : 0;
  const weightGradientsAt = space.zeros(weights.length);
  const baseGradientsAt = space.zeros(baseWeights.length);
  const inputGradients = zerosLike(weights, hasSlopes ? rows * inputs : 0);
  const numbers = inputs * (2 * support + 3 + (hasEdges ? outputs : 0)) + outputs;
  const mark = space.end;
  for (const [from, to] of parts(rows, numbers)) {
    space.end = mark;
    const count = to - from, points = count * inputs;
    const local = (values: Floats, each: number) =>
      space.place(values.subarray(from * inputs * each, to * inputs * each));
    const firstAt = space.placeIntegers(batch.first.subarray(from * inputs, to * inputs));
    const valuesAt = local(batch.values, support);
    const slopesAt = hasSlopes ? local(batch.slopes, support) : 0;
    const basesAt = hasBase ? local(batch.bases, 1) : 0;
    const baseSlopesAt = hasBase && hasSlopes ? local(batch.baseSlopes, 1) : 0;
    const sumsAt = space.place(sumGradients.subarray(from * outputs, to * outputs));
    const edgesAt = hasEdges ? local(edgeGradients, outputs) : 0;
    const inputsAt = space.reserve(points);
    const functions = [firstAt, valuesAt, slopesAt, basesAt, baseSlopesAt];
    const gradients = [weightGradientsAt, baseGradientsAt, inputsAt];
    kernels.backward(
      ...shapeOf(batch, count),
      ...functions,
      weightsAt,
      baseWeightsAt,
      sumsAt,
      edgesAt,
      ...gradients,
    );
    if (hasSlopes) inputGradients.set(space.view(inputsAt, points), from * inputs);
  }
  space.end = mark;
  const factorGradientsAt = space.zeros(factors.length);
  if (hasFactors) {
    const unscaledAt = space.place(weights), factorsAt = space.place(factors);
    const shape = [inputs, size, outputs];
    kernels.addProducts(...shape, weightGradientsAt, unscaledAt, factorGradientsAt);
    kernels.multiply(...shape, weightGradientsAt, factorsAt);
  }
  const read = (address: number, length: number) => space.view(address, length).slice() as A;
  return {
    weights: read(weightGradientsAt, weights.length),
    factors: read(factorGradientsAt, factors.length),
    baseWeights: read(baseGradientsAt, baseWeights.length),
    inputs: inputGradients,
  };
}

/** The address of the weights times their factors. */
function placeScaled(
  kernels: Exports,
  space: Workspace,
  { inputs, size, outputs, weights, factors }: EdgeBatch<Floats>,
): number {
  const address = space.place(weights);
  if (factors.length > 0) {
    kernels.multiply(inputs, size, outputs, address, space.place(factors));
  }
  return address;
}

function shapeOf({ inputs, outputs, size, support }: EdgeBatch<Floats>, rows: number): number[] {
  return [rows, inputs, outputs, size, support];
}

/** Runs of rows that hold few enough numbers. */
function* parts(rows: number, numbersOfRow: number): Iterable<readonly [number, number]> {
  const most = Math.max(1, Math.floor(MOST_NUMBERS / numbersOfRow));
  for (let from = 0; from < rows; from += most) yield [from, Math.min(rows, from + most)];
}

/** Arrays of one precision laid out one after the other in the memory of the kernels. */
class Workspace {
  /** Past the data of the module; the stub runtime keeps nothing else. */
  end = PAGE;
  readonly #memory: WebAssembly.Memory;
  readonly #isSingle: boolean;

  constructor(memory: WebAssembly.Memory, like: Floats) {
    this.#memory = memory;
    this.#isSingle = like instanceof Float32Array;
  }

  /** The address of a copy of `values`, rounded to the precision. */
  place(values: Floats): number {
    const address = this.reserve(values.length);
    this.view(address, values.length).set(values);
    return address;
  }

  placeIntegers(values: Int32Array): number {
    const address = this.reserve(values.length);
    this.integers(address, values.length).set(values);
    return address;
  }

  /** The address of numbers that stay float64 in any precision. */
  placeDoubles(values: Float64Array): number {
    const address = this.reserve(this.#isSingle ? 2 * values.length : values.length);
    new Float64Array(this.#memory.buffer, address, values.length).set(values);
    return address;
  }

  integers(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  /** The address of that many zeros. */
  zeros(length: number): number {
    const address = this.reserve(length);
    this.view(address, length).fill(0);
    return address;
  }

  /** The address of room for that many numbers. */
  reserve(length: number): number {
    const address = this.end;
    this.end += 16 * Math.ceil(length * (this.#isSingle ? 4 : 8) / 16);
    const missing = this.end - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / PAGE));
    return address;
  }

  view(address: number, length: number): Floats {
    const { buffer } = this.#memory;
    return this.#isSingle
      ? new Float32Array(buffer, address, length)
      : new Float64Array(buffer, address, length);
  }
}
