import { roundToFloat16 } from "../data/round_to_float16.ts";
import { InputError } from "../data/input_error.ts";
import { bytesPerElement } from "../data/dtype.ts";
import { elementCount, type StateDict, type WeightTensor, withValues } from "../data/tensor.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { TensorMetrics } from "../hierarchy/metric/tensor_metric.ts";
import { planTensors } from "../hierarchy/file/plan_tensors.ts";
import { transpose } from "../data/transpose.ts";
import { finish, type Steps } from "../workers/steps.ts";
import type { Baseline } from "./baseline.ts";

/** What {@linkcode compressWithBaseline} makes of a model. */
export interface BaselineModel {
  /** The weights that a reader of the format would see. */
  readonly weights: StateDict;
  /** Bytes of a whole safetensors file with one byte tensor for each tensor. */
  readonly bytes: number;
  /** Parameters, tied ones once. */
  readonly parameters: number;
  /** Those bytes in bits per parameter. */
  readonly bitsPerWeight: number;
}

/** What is known of the matrices of a model. */
export interface BaselineOptions {
  /** What calibration found out; for a matrix without a metric the method does without. */
  readonly metrics?: TensorMetrics;
  /** Names of the matrices that are stored [in, out], as GPT-2 does, and have no metric. */
  readonly inputsFirst?: ReadonlySet<string>;
  /** Called with the share of the weights that is done, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

/**
 * Compresses every matrix of a model with a baseline, embeddings included, and accounts for the file
 * as for kanpress' own: vectors in f16, tied matrices once, a header.
 *
 * ```ts
 * import { BASELINES, compressWithBaseline } from "@kanpress/kanpress/baselines";
 * import assert from "node:assert";
 *
 * const tensor = { dtype: "F32" as const, shape: [8, 256], data: new Float32Array(2048).fill(0.1) };
 * const model = compressWithBaseline(new Map([["w", tensor]]), BASELINES.get("q8_0")!);
 * assert.ok(model.bytes >= 8 * 272 && model.bytes < 8 * 272 + 100);
 * ```
 */
export function compressWithBaseline(
  weights: StateDict,
  baseline: Baseline,
  options: BaselineOptions = {},
): BaselineModel {
  return finish(baselineSteps(weights, baseline, options));
}

/**
 * As {@linkcode compressWithBaseline}, tensor by tensor, so that others get their turn in between:
 * calibrated baselines take minutes for large models.
 */
export function* baselineSteps(
  weights: StateDict,
  baseline: Baseline,
  { metrics = new Map(), inputsFirst = new Set(), onProgress }: BaselineOptions = {},
): Steps<BaselineModel> {
  const { stored, aliases } = planTensors(weights, { losslessSmall: false, transposed: new Set() });
  const restored = new Map<string, WeightTensor>();
  const sizes: [string, number][] = [];
  const all = stored.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  let parameters = 0;
  for (const { name, shape, stored: storedAs } of stored) {
    const tensor = weights.get(name)!;
    const count = elementCount(shape);
    parameters += count;
    onProgress?.((parameters - count) / all);
    yield;
    if (storedAs !== undefined) {
      const data = storedAs === "F16" ? tensor.data.map(roundToFloat16) : tensor.data;
      restored.set(name, withValues(tensor, data));
      sizes.push([name, count * bytesPerElement(storedAs)]);
      continue;
    }
    const metric = metrics.get(name);
    const inputAxis = metric?.inputAxis ?? (inputsFirst.has(name) ? 0 : 1);
    const { data, bytes } = quantizeTensor(name, tensor, inputAxis, baseline, metric?.hessian);
    restored.set(name, withValues(tensor, data));
    sizes.push([name, bytes]);
  }
  for (const [name, target] of aliases) restored.set(name, restored.get(target)!);
  const inOrder = new Map([...weights.keys()].map((name) => [name, restored.get(name)!]));
  const bytes = headerBytes(sizes) + sizes.reduce((sum, [, size]) => sum + size, 0);
  return { weights: inOrder, bytes, parameters, bitsPerWeight: 8 * bytes / parameters };
}

function quantizeTensor(
  name: string,
  { shape, data }: WeightTensor,
  inputAxis: 0 | 1,
  baseline: Baseline,
  hessian?: Float64Array,
): { data: Float32Array; bytes: number } {
  const first = shape[0]!, others = elementCount(shape.slice(1));
  const isTransposed = inputAxis === 0;
  const matrix: Matrix = isTransposed
    ? { name, rows: others, columns: first, data: transpose(data, first, others) }
    : { name, rows: first, columns: others, data };
  if (hessian !== undefined && hessian.length !== matrix.columns ** 2) {
    throw new InputError(
      `${name}: its calibration is for another shape; calibrate this model again`,
    );
  }
  const { reconstruction, bytes } = baseline(matrix, hessian);
  if (!isTransposed) return { data: reconstruction, bytes };
  return { data: transpose(reconstruction, others, first), bytes };
}

/** Bytes of a safetensors header that lists byte tensors of these sizes. */
function headerBytes(sizes: readonly (readonly [string, number])[]): number {
  let end = 0;
  const rows = sizes.map(([name, size]) => {
    const offsets = [end, end += size];
    return [name, { dtype: "U8", shape: [size], data_offsets: offsets }];
  });
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(rows)));
  return 8 + Math.ceil(json.length / 8) * 8;
}
