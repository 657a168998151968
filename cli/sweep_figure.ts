import { type Figure, tradeOffFigure } from "../eval/plots/mod.ts";
import type { SweepRecord } from "./sweep_results.ts";

/** Size against divergence of a sweep's points, one series a method; failed points are left out. */
export function sweepFigure({ model, points }: SweepRecord): Figure {
  const measured = points.flatMap(({ name, bitsPerWeight, klDivergence, ...row }) =>
    bitsPerWeight === null || klDivergence === null ? [] : [{
      // "gptq-3-g64" and "gptq-4-g128" are points of the method gptq.
      method: name.replace(/-\d.*$/, ""),
      bitsPerWeight,
      value: klDivergence,
      standardError: row.klDivergenceStandardError ?? 0,
    }]
  );
  return tradeOffFigure(measured, { measure: "klDivergence", title: model });
}
