import { type Figure, tradeOffFigure } from "../../eval/plots/mod.ts";
import { methodOf } from "../../eval/report/sweep_rows.ts";
import type { SweepRecord } from "./sweep_record.ts";

/** Size against divergence of a sweep's points, one series a method; failed points are left out. */
export function sweepFigure({ model, points }: SweepRecord): Figure {
  const measured = points.flatMap(({ name, bitsPerWeight, klDivergence, ...row }) =>
    bitsPerWeight === null || klDivergence === null || klDivergence <= 0 ? [] : [{
      method: methodOf(name),
      bitsPerWeight,
      value: klDivergence,
      standardError: row.klDivergenceStandardError ?? 0,
    }]
  );
  return tradeOffFigure(measured, {
    measure: "klDivergence",
    title: `Size against divergence, ${model}`,
  });
}
