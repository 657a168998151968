import { evaluateByLayer } from "../../eval/measure/evaluate_by_layer.ts";
import type { EvaluationResult } from "../../eval/mod.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import type { MeasureOptions } from "../options/measure_options.ts";
import type { Run } from "../terminal/run.ts";
import { pairOf, type ReadableSubject } from "./evaluation_subject.ts";
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
