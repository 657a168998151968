import * as tf from "@tensorflow/tfjs";
import { Kan } from "../layers/kan.ts";
import { type KanModel, replaceParameters } from "../model/model.ts";
import type { Tensor, Tensor2D, Tensor3D } from "../numeric/tensor_types.ts";
import { evaluateLoss, type Loss } from "../engine/losses.ts";
import type { DataSet, Evaluation } from "../engine/objective.ts";
import {
  ENTROPY_OFFSET,
  INPUT_SPREAD_OFFSET,
  penalizeCoefficients,
  type Regularization,
} from "../engine/regularizer.ts";

/** Keeps the root of a variance differentiable where all samples are equal. */
const LEAST_VARIANCE = 1e-14;

/** The objective of {@link evaluateObjective} on the current tfjs backend, in float32. */
export interface TensorObjective {
  /** The objective at these parameters on `data`; waits for the backend. */
  evaluate(parameters: Float64Array, data: DataSet): Promise<Evaluation>;
  /** Frees its variables. */
  dispose(): void;
}

/** A {@link TensorObjective} for networks of the shape of `model`. */
export function createTensorObjective(
  model: KanModel,
  loss: Loss,
  regularization?: Regularization,
): TensorObjective {
  const kan = Kan.fromModel(model);
  return {
    async evaluate(parameters, data) {
      assign(kan, parameters);
      const x = toTensor(data.inputs), y = toTensor(data.targets);
      let lossTensor: Tensor | undefined;
      const own = typeof loss === "string" ? undefined : await evaluateOwn(kan, loss, data, x);
      const lossOfOutputs = (outputs: Tensor2D) => {
        // The gradient of outputs times slopes is that of the loss; its value is not.
        lossTensor = tf.keep(
          own === undefined ? lossOf(loss, outputs, y) : outputs.mul(own.slopes).sum(),
        );
        return lossTensor;
      };
      const objective = () => {
        if (regularization === undefined || !(regularization.lambda > 0)) {
          return lossOfOutputs(kan.apply(x)) as tf.Scalar;
        }
        const { outputs, layers } = kan.applyWithEdges(x);
        const lossTensor = lossOfOutputs(outputs);
        const penalties = layers.map(({ inputs, edges }) => penalty(inputs, edges, regularization));
        return tf.addN([lossTensor, ...penalties]) as tf.Scalar;
      };
      const { value, grads } = tf.variableGrads(objective, kan.variables);
      const gradient = new Float64Array(parameters.length);
      let at = 0;
      for (const variable of kan.variables) {
        gradient.set(await grads[variable.name]!.data(), at);
        at += variable.size;
      }
      let total = (await value.data())[0]!;
      const alone = (await lossTensor!.data())[0]!;
      const ofCoefficients = regularization &&
        penalizeCoefficients(replaceParameters(model, parameters), regularization);
      if (ofCoefficients !== undefined) {
        total += ofCoefficients.value;
        ofCoefficients.gradient.forEach((slope, i) => gradient[i]! += slope);
      }
      tf.dispose([x, y, value, lossTensor!, ...Object.values(grads)]);
      own?.slopes.dispose();
      if (own !== undefined) return { value: total - alone + own.value, loss: own.value, gradient };
      return { value: total, loss: alone, gradient };
    },
    dispose: () => kan.dispose(),
  };
}

function assign(kan: Kan, parameters: Float64Array): void {
  let at = 0;
  for (const variable of kan.variables) {
    const values = Float32Array.from(parameters.subarray(at, at += variable.size));
    const tensor = tf.tensor(values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }
}

function toTensor(samples: DataSet["inputs"]): Tensor2D {
  return tf.tensor2d(Float32Array.from(samples.data), [samples.rows, samples.columns]);
}

function lossOf(loss: Loss, outputs: Tensor2D, targets: Tensor2D): Tensor {
  switch (loss) {
    case "mse":
      return outputs.sub(targets).square().mean();
    case "mae":
      return outputs.sub(targets).abs().mean();
    case "binaryCrossEntropy":
      return tf.softplus(outputs).sub(outputs.mul(targets)).mean();
    default:
      return tf.logSoftmax(outputs).mul(targets).sum().div(-targets.shape[0]);
  }
}

/** A loss that is not made of tensors, from outputs that are read. */
async function evaluateOwn(
  kan: Kan,
  loss: Loss,
  data: DataSet,
  x: Tensor2D,
): Promise<{ value: number; slopes: Tensor2D }> {
  const tensor = kan.apply(x);
  const outputs = Float64Array.from(await tensor.data());
  tensor.dispose();
  const { value, gradient } = evaluateLoss(loss, outputs, data.targets);
  const slopes = tf.tensor2d(Float32Array.from(gradient), [
    x.shape[0],
    gradient.length / x.shape[0],
  ]);
  return { value, slopes };
}

/** Standard deviation over the samples, with n - 1. */
function deviation(tensor: Tensor): Tensor {
  const rows = tensor.shape[0]!;
  const variance = tensor.sub(tensor.mean(0, true)).square().sum(0).div(Math.max(1, rows - 1));
  return tf.sqrt(tf.maximum(variance, LEAST_VARIANCE)).sub(Math.sqrt(LEAST_VARIANCE));
}

function penalty(inputs: Tensor2D, edges: Tensor3D, regularization: Regularization): Tensor {
  const { lambda, l1 = 1, entropy = 2 } = regularization;
  const scores = (regularization.metric ?? "normalized") === "normalized"
    ? deviation(edges).div(deviation(inputs).add(INPUT_SPREAD_OFFSET).expandDims(1))
    : deviation(edges);
  const entropyAlong = (axis: number) => {
    const shares = scores.div(scores.sum(axis, true).add(1));
    return shares.mul(shares.add(ENTROPY_OFFSET).log()).sum(axis).mean().div(-Math.LN2);
  };
  return scores.sum().mul(l1).add(entropyAlong(0).add(entropyAlong(1)).mul(entropy)).mul(lambda);
}
