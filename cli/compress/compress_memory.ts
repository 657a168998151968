import { InputError, type ModelSource } from "../../data/mod.ts";
import { elementCount } from "../../data/tensor.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { formatBytes } from "../../eval/report/number_text.ts";
import { runsByLayer } from "../evaluate/low_memory.ts";
import { chooseMemory, type MemoryChoice, type MemoryPlan } from "../forecast/memory_need.ts";
import type { CompressJob } from "./compress_job.ts";
import { correctsDrift, tokensForDrift } from "./drift.ts";

/** Number of weights of a model. */
export function weightCount({ weights }: Pick<ModelSource, "weights">): number {
  return weights.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Weights of a model that is worth reading layer by layer though there is memory for all of it. */
const LARGE_MODEL = 2 ** 25;

/** What of a run decides how it is measured. */
type MeasuredJob = Pick<CompressJob, "measurement" | "options">;

/** What of a run decides how much memory it needs. */
export type PlannedJob = MeasuredJob & Pick<CompressJob, "source" | "target">;

/** Whether measuring needs no weights but those of a layer at a time. */
export function canMeasureByLayer({ measurement, options }: MeasuredJob): boolean {
  return measurement.kind === "text" && options.byPart !== true;
}

/** Whether that is as fast, and saves memory that is worth it. */
export function isMeasuredByLayer(
  job: MeasuredJob & Pick<CompressJob, "source">,
  description: TransformerDescription,
): boolean {
  const { measurement, options, source } = job;
  if (measurement.kind !== "text" || !canMeasureByLayer(job)) return false;
  return weightCount(source) >= LARGE_MODEL && [measurement.text, ...measurement.others]
    .every((text) => runsByLayer({ description }, text, options));
}

/** How a run does with the memory that there is. */
export interface PlannedMemory extends MemoryChoice {
  /** A line for people, where drift would be corrected if there were room for both models. */
  readonly driftLine?: string;
}

/**
 * How much memory the run needs, and how it does with less where there is less. Drift is corrected where
 * both models have room; throws {@linkcode InputError} where they have none though it was asked for.
 */
export function planMemory(
  job: PlannedJob,
  description: TransformerDescription,
  available: number | undefined,
  calibrates: boolean,
): PlannedMemory | undefined {
  const { source, target, measurement, options } = job;
  if (target.preset !== "rate") return undefined;
  const { backend, threads } = options;
  const isByLayer = target.maxKl === undefined && isMeasuredByLayer(job, description);
  const measures = measurement.kind === "none" ? "nothing" : isByLayer ? "layers" : "models";
  const { tensors } = source.weights;
  const plan: MemoryPlan = {
    ...{ tensors, calibrates, measures, backend, threads },
    bits: target.bits ?? (target.bytes ?? 0) * 8 / weightCount(source),
  };
  const { correctDrift, effort } = options;
  const { preset } = target;
  if (!correctsDrift(description, { correctDrift, effort, preset, isCalibrated: calibrates })) {
    return chooseMemory(description, plan, available);
  }
  const driftTokens = tokensForDrift(options.calibrationTokens ?? Infinity);
  const whole = chooseMemory(description, { ...plan, driftTokens }, Infinity);
  if (available === undefined || whole.bytes <= available) return whole;
  const short = `that takes about ${formatBytes(whole.bytes)} of memory, and ${
    formatBytes(available)
  } is there`;
  if (correctDrift) {
    throw new InputError(`drift cannot be corrected: ${short}; leave --correct-drift out`);
  }
  const choice = chooseMemory(description, plan, available);
  return { ...choice, driftLine: `drift is not corrected: ${short}` };
}
