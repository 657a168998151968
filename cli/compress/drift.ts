import { InputError } from "../../data/input_error.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { driftCorrected } from "../../eval/drift/correct_drift.ts";
import type { Effort, Preset } from "../../hierarchy/mod.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { CalibratedModel, CalibrationOptions, CalibrationPlan } from "./calibration.ts";

/** Tokens of the calibration text that both models read, at most. */
const DRIFT_TOKENS = 32768;

/** How many tokens of a calibration drift is corrected on. */
export function tokensForDrift(calibrationTokens: number): number {
  return Math.min(DRIFT_TOKENS, calibrationTokens);
}

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

/** What decides whether drift is corrected. */
export interface DriftChoice {
  /** What was asked for. */
  readonly correctDrift?: boolean | undefined;
  readonly effort?: Effort | undefined;
  readonly preset: Preset;
  readonly isCalibrated: boolean;
}

/**
 * Whether drift is corrected, where there is memory for it: as was asked for, else with every effort but
 * `fast` where it can be. Throws {@linkcode InputError} where it was asked for and cannot be.
 */
export function correctsDrift(
  { objective }: Pick<TransformerDescription, "objective">,
  { correctDrift, effort, preset, isCalibrated }: DriftChoice,
): boolean {
  if (correctDrift === false) return false;
  const why = preset !== "rate"
    ? `it is of layers as --preset rate codes them, not ${preset}`
    : objective !== "nextToken"
    ? "the model does not predict next tokens"
    : !isCalibrated
    ? "the model is not calibrated"
    : undefined;
  if (why === undefined) return correctDrift ?? effort !== "fast";
  if (correctDrift) {
    throw new InputError(`drift cannot be corrected: ${why}; leave --correct-drift out`);
  }
  return false;
}
