import type { StageReport } from "../../hierarchy/mod.ts";
import { formatFixed } from "../../eval/report/number_text.ts";

/** What each stage costs and takes off those after it, where that is known. */
export function stageLines(stages: readonly StageReport[]): string[] {
  return stages.flatMap(({ bitsPerWeight, bitsSaved }, i) =>
    bitsSaved === undefined ? [] : [
      `stage ${i + 1} takes ${formatFixed(bitsPerWeight, 2)} bits per weight ` +
      `and saves the rest ${formatFixed(bitsSaved, 2)} bits`,
    ]
  );
}
