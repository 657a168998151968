import { describeModel } from "../../eval/architectures/registry.ts";
import { isLocalPath } from "../input/model_names.ts";
import { type CalibratedModel, type CalibrationPlan, planCalibration } from "./calibration.ts";
import type { CompressJob } from "./compress_job.ts";

/** A calibration that is going to be made, or taken from the cache. */
export interface PreparedCalibration {
  readonly model: CalibratedModel;
  readonly plan: CalibrationPlan;
}

/**
 * Reads what is to be calibrated on, where anything is. The preset seed has no use for calibration,
 * and `--data-free` wants none.
 */
export async function prepareCalibration(
  { name, source, original, sha256, target, options }: CompressJob,
): Promise<{ calibration?: PreparedCalibration; notCalibrated?: string }> {
  if (options.dataFree || target.preset === "seed") return {};
  if (!canCalibrate({ source, target, options })) {
    return { notCalibrated: "the model does not predict next tokens" };
  }
  const model: CalibratedModel = {
    source,
    weights: original,
    sha256,
    embedded: name === undefined,
    local: isLocalPath(name),
  };
  return { calibration: { model, plan: await planCalibration(model, options) } };
}

/** Whether errors can be weighed by what they do to predictions, and are to be. */
export function canCalibrate(
  { source, target, options }: Pick<CompressJob, "source" | "target" | "options">,
): boolean {
  const { calibration, dataFree } = options;
  if (dataFree || target.preset === "seed") return false;
  const { objective } = describeModel(
    source.config,
    source.weights.tensors.map(({ name }) => name),
  );
  return objective === "nextToken" || calibration !== undefined;
}
