import type { ModelSource } from "../../data/mod.ts";
import { elementCount } from "../../data/tensor.ts";
import type { TransformerDescription } from "../../eval/architectures/description.ts";
import { runsByLayer } from "../evaluate/low_memory.ts";
import { chooseMemory, type MemoryChoice } from "../forecast/memory_need.ts";
import type { CompressJob } from "./compress_job.ts";
import { DRIFT_TOKENS } from "./drift.ts";

/** Number of weights of a model. */
export function weightCount({ weights }: Pick<ModelSource, "weights">): number {
  return weights.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** Weights of a model that is worth reading layer by layer though there is memory for all of it. */
const LARGE_MODEL = 2 ** 25;

/** What of a run decides how it is measured. */
type MeasuredJob = Pick<CompressJob, "measurement" | "options">;

/** What of a run decides how much memory it needs. */
type PlannedJob = MeasuredJob & Pick<CompressJob, "source" | "target">;

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

/** How much memory the run needs, and how it does with less where there is less. */
export function planMemory(
  job: PlannedJob,
  description: TransformerDescription,
  available: number | undefined,
  calibrates: boolean,
): MemoryChoice | undefined {
  const { source, target, measurement, options } = job;
  if (target.preset !== "rate") return undefined;
  const { backend, threads } = options;
  const isByLayer = target.maxKl === undefined && isMeasuredByLayer(job, description);
  const measures = measurement.kind === "none" ? "nothing" : isByLayer ? "layers" : "models";
  const { tensors } = source.weights;
  return chooseMemory(
    description,
    {
      ...{ tensors, calibrates, measures, backend, threads },
      driftTokens: options.correctDrift
        ? Math.min(DRIFT_TOKENS, options.calibrationTokens ?? DRIFT_TOKENS)
        : 0,
      bits: target.bits ?? (target.bytes ?? 0) * 8 / weightCount(source),
    },
    available,
  );
}
