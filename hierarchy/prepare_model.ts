import { InputError } from "../data/input_error.ts";
import { elementCount, type StateDict, type WeightSource } from "../data/tensor.ts";
import type { ResolvedOptions } from "./compressor_options.ts";
import type { Container } from "./file/container.ts";
import { encodeVerbatimTensors } from "./file/verbatim_tensors.ts";
import { heldMatrix } from "./matrix/held_matrix.ts";
import type { Matrices } from "./matrix/matrix.ts";
import { factorMetrics } from "./metric/factor_metrics.ts";
import {
  errorMetric,
  type FactoredMetrics,
  isFactored,
  type TensorMetrics,
} from "./metric/tensor_metric.ts";
import { matrixShape, planTensors } from "./file/plan_tensors.ts";
import type { StoredTensor } from "./file/tensor_names.ts";
import { transpose } from "../data/transpose.ts";
import { weightsDigest } from "../data/weights_digest.ts";

/** A model that is checked and sorted into what levels code and what is kept as it is. */
export interface PreparedModel {
  /** Everything of the file but the stages. */
  readonly base: Omit<Container, "stages">;
  /** The matrices that the levels code. */
  readonly matrices: Matrices;
  /** Number of parameters, tied ones once. */
  readonly parameters: number;
}

/**
 * Reads and checks weights; the matrices named in `kept` are not coded. Throws {@linkcode InputError} that names the tensor where a weight is not
 * finite, where calibration does not fit, or where there is nothing to compress.
 */
export async function prepareModel(
  weights: StateDict | WeightSource,
  metrics: TensorMetrics | FactoredMetrics,
  description: Pick<Container, "config" | "source" | "sourceSha256">,
  options: ResolvedOptions,
  kept?: ReadonlySet<string>,
): Promise<PreparedModel> {
  const dict = await readAllWeights(weights, options);
  const transposed = new Set(
    [...metrics].flatMap(([name, { inputAxis }]) => inputAxis === 1 ? [name] : []),
  );
  const { stored, aliases } = planTensors(dict, { ...options, transposed, ...(kept && { kept }) });
  const parameters = stored.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  checkParameters(parameters, options.inputDim);
  const factored = await factoredMetrics(metrics, dict, parameters, options);
  const matrices = buildMatrices(stored, dict, factored, options.preset === "rate");
  const verbatim = encodeVerbatimTensors(stored, dict);
  const sourceSha256 = description.sourceSha256 ?? await weightsDigest(dict);
  const base = { tensors: stored, aliases, verbatim, ...description, sourceSha256 };
  return { base, matrices, parameters };
}

async function readAllWeights(
  weights: StateDict | WeightSource,
  { onProgress, signal }: ResolvedOptions,
): Promise<StateDict> {
  if (!("tensors" in weights)) return weights;
  const dict = new Map();
  for (const { name } of weights.tensors) {
    signal?.throwIfAborted();
    dict.set(name, await weights.read(name));
    onProgress?.("reading weights", dict.size / weights.tensors.length);
  }
  return dict;
}

/** Factors metrics that are not factored yet, for the rate that is asked for. */
async function factoredMetrics(
  metrics: TensorMetrics | FactoredMetrics,
  weights: StateDict,
  parameters: number,
  options: ResolvedOptions,
): Promise<FactoredMetrics> {
  if (isFactored(metrics)) return metrics;
  const { bits, bytes, signal } = options;
  const target = bytes === undefined ? bits : 8 * bytes / parameters;
  return await factorMetrics(metrics, {
    weights,
    ...(target !== undefined && { bits: target }),
    ...(signal && { signal }),
  });
}

/**
 * The matrices that the levels code, with their metrics; if `held`, their values are made when they
 * are asked for.
 */
function buildMatrices(
  stored: readonly StoredTensor[],
  weights: StateDict,
  metrics: FactoredMetrics,
  held: boolean,
): Matrices {
  return stored.filter((tensor) => tensor.stored === undefined).map((tensor) => {
    const shape = matrixShape(tensor);
    const { name, rows, columns } = shape;
    const metric = metrics.get(name);
    const described = {
      ...shape,
      ...(metric === undefined ? {} : { metric: errorMetric(name, metric, rows, columns) }),
    };
    const weight = weights.get(name)!;
    const transposed = tensor.transposed === true;
    if (held) return heldMatrix(described, { stored: weight.half ?? weight.data, transposed });
    return {
      ...described,
      data: transposed ? transpose(weight.data, columns, rows) : weight.data,
    };
  });
}

function checkParameters(parameters: number, inputDim: number | undefined): void {
  if (parameters === 0) throw new InputError("the model has no weights; check the state dict");
  if (inputDim !== undefined && inputDim !== parameters) {
    throw new InputError(
      `inputDim: is ${inputDim}, but the model has ${parameters} parameters; ` +
        `pass model.numParameters()`,
    );
  }
}
