import { evaluateByLayer } from "../../eval/measure/evaluate_by_layer.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import { largestLayerWeights } from "../../eval/scoring/memory_plan.ts";
import { inseparableLevel } from "../../hierarchy/file/decode_groups.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import type { MeasureOptions } from "../options/measure_options.ts";
import type { Run } from "../terminal/run.ts";
import { pairOf, type ReadableSubject, type Subject } from "./evaluation_subject.ts";
import type { MeasuredText } from "./measure.ts";

/** `evaluate --low-memory`: measures with the weights of one layer in memory at a time. */
export async function measureByLayer(
  { config, container, variant, original }: ReadableSubject,
  { evaluation }: MeasuredText,
  { backend, threads }: Pick<MeasureOptions, "backend" | "threads">,
  run: Run,
): Promise<EvaluationResult> {
  const sources = {
    ...(original !== undefined && { original: original.weights }),
    ...(variant !== undefined && { compressed: variant.weights }),
    ...(container !== undefined && {
      compressed: containerWeights(container, { signal: run.signal }),
    }),
  };
  // The tokens alone, not a part of those of a long text.
  const text = { ...evaluation, tokens: evaluation.tokens.slice() };
  return await run.phase("evaluate", (progress) =>
    evaluateByLayer({
      config,
      ...pairOf(sources),
      ...text,
      backend,
      threads,
      onProgress: (share) => progress(share),
      signal: run.signal,
    }));
}

/**
 * Whether a model is measured layer by layer without being asked: the native engine does that as fast,
 * in less memory, unless the states of the text would take more than the weights.
 */
export function runsByLayer(
  { container, description }: Pick<Subject, "container" | "description">,
  { evaluation }: MeasuredText,
  { backend }: Pick<MeasureOptions, "backend">,
): boolean {
  if (backend !== "native") return false;
  if (container !== undefined && inseparableLevel(container.stages) !== undefined) return false;
  const weights = description.layers.length * largestLayerWeights(description);
  return evaluation.tokens.length * description.hiddenSize <= weights;
}
