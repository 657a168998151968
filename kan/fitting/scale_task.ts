import { isError, type Loss } from "../engine/losses.ts";
import type { DataSet } from "../engine/objective.ts";
import { nodeCount } from "../model/layer_model.ts";
import type { KanModel } from "../model/model.ts";
import { requireScaling, scaleSamples, type Scaling } from "../model/scaling.ts";
import { chooseScaling } from "./choose_scaling.ts";

/** What decides about the scaling of a training run. */
interface ScalingOptions {
  readonly loss?: Loss;
  readonly scaling?: "auto" | Scaling | false;
  readonly validation?: DataSet;
  readonly equations?: readonly unknown[];
}

/** What is trained in place of a model on raw columns. */
export interface FitTask<Options> {
  /** Without a scaling, where data can be scaled once instead of at every step. */
  readonly model: KanModel;
  /** What it is trained on. */
  readonly data: DataSet;
  /** With the validation data that belong to it. */
  readonly options: Options;
  /** The trained model on raw columns. */
  restore(trained: KanModel): KanModel;
}

/** Scales data and model as the options say. @throws RangeError if a scaling does not fit. */
export function scaleTask<Options extends ScalingOptions>(
  model: KanModel,
  data: DataSet,
  options: Options,
): FitTask<Options> {
  const { loss = "mse", validation, equations = [] } = options;
  const scaling = scalingOf(model, data, options);
  const { layers } = model;
  const plain: KanModel = { layers };
  if (scaling === undefined) {
    return { model: plain, data, options, restore: ({ layers }) => ({ layers }) };
  }
  const restore = ({ layers }: KanModel): KanModel => ({ layers, scaling });
  // Other losses are taken of raw outputs, and equations of raw derivatives.
  if (!isError(loss) || equations.length > 0) {
    return { model: { layers, scaling }, data, options, restore };
  }
  const scale = ({ inputs, targets }: DataSet): DataSet => ({
    inputs: scaleSamples(inputs, scaling.inputs),
    targets: scaleSamples(targets, scaling.outputs),
  });
  return {
    model: plain,
    data: scale(data),
    options: { ...options, ...(validation !== undefined && { validation: scale(validation) }) },
    restore,
  };
}

function scalingOf(model: KanModel, data: DataSet, options: ScalingOptions): Scaling | undefined {
  const { scaling = "auto", loss = "mse", equations = [] } = options;
  if (scaling === false) return model.scaling;
  if (scaling === "auto") {
    // Of equations, only their author knows the sizes.
    return model.scaling ?? (equations.length > 0 ? undefined : chooseScaling(model, data, loss));
  }
  requireScaling(scaling, model.layers[0]!.inputDim, nodeCount(model.layers.at(-1)!));
  return scaling;
}
