import { InputError } from "../../data/input_error.ts";
import { describeModel } from "../../eval/architectures/registry.ts";
import { driftCorrected } from "../../eval/drift/correct_drift.ts";
import { formatBytes } from "../../eval/report/number_text.ts";
import type { Preset } from "../../hierarchy/mod.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { MemoryChoice } from "../forecast/memory_need.ts";
import type { CalibratedModel, CalibrationOptions, CalibrationPlan } from "./calibration.ts";

/** Tokens of the calibration text that both models read, at most. */
export const DRIFT_TOKENS = 32768;

/** What drift is corrected on. */
export interface DriftJob {
  /** The original. */
  readonly model: CalibratedModel;
  readonly plan: CalibrationPlan;
  /** What it was calibrated on: every beginning of it is as mixed as the whole. */
  readonly tokens: Int32Array;
}

/** Has coding tasks correct drift, with the help of `through`. */
export async function correctDrift(
  { model: { source: { config }, weights }, plan, tokens }: DriftJob,
  { backend, threads }: Pick<CalibrationOptions, "backend" | "threads">,
  through: TasksThrough,
): Promise<TasksThrough> {
  const corrected = await driftCorrected({
    ...{ config, weights, ...plan.settings, backend, threads },
    tokens: tokens.subarray(0, Math.max(DRIFT_TOKENS, plan.settings.contextLength)),
  });
  return (run) => corrected(through(run));
}

/** Throws {@linkcode InputError} where the drift of a model cannot be corrected, before any work. */
export function requireCorrectable(
  { source: { config }, weights }: Pick<CalibratedModel, "source" | "weights">,
  { preset, isCalibrated, memory }: {
    readonly preset: Preset;
    readonly isCalibrated: boolean;
    readonly memory?: MemoryChoice | undefined;
  },
): void {
  const refuse = (why: string) => {
    throw new InputError(`drift cannot be corrected: ${why}; leave --correct-drift out`);
  };
  if (preset !== "rate") refuse(`it is of layers as --preset rate codes them, not ${preset}`);
  const { objective } = describeModel(config, weights.keys());
  if (objective !== "nextToken") refuse("the model does not predict next tokens");
  if (!isCalibrated) refuse("the model is not calibrated");
  if (memory?.savings === undefined) return;
  refuse(
    `that takes both models in memory, and there is too little (${
      formatBytes(memory.bytes)
    } are needed without)`,
  );
}
