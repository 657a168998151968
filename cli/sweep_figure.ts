import { type Figure, tradeOffFigure } from "../eval/plots/mod.ts";
import type { SweepRecord } from "./sweep_results.ts";

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
  return tradeOffFigure(measured, { measure: "klDivergence", title: model });
}

/** What made a point: `gptq-3-g64` and `gptq-4-g128` are both of gptq, `q3_k` is of llama.cpp. */
export function methodOf(name: string): string {
  if (/^q\d_k$/.test(name)) return "gguf q_k";
  if (/^q\d_0$/.test(name)) return "gguf q_0";
  return name.replace(/-\d.*$/, "");
}
