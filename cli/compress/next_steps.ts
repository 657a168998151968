import { basename, dirname } from "node:path";
import type { EvaluationResult } from "../../eval/mod.ts";
import { formatFixed } from "../../eval/report/number_text.ts";
import { LOST_BELOW } from "../evaluate/comparison.ts";
import type { Sizes } from "../evaluate/sizes.ts";
import { COMPRESSED_NAME } from "../input/compressed_argument.ts";
import { commandLine } from "../terminal/command_line.ts";

/** What to know of a compression before going on with it. */
export interface CompressedModelFacts {
  /** Its sizes. */
  readonly sizes: Pick<Sizes, "originalBytes" | "compressedBytes" | "bitsPerWeight">;
  /** What measuring both models on a text gave, if it was done. */
  readonly result?: Pick<EvaluationResult, "sameTop1">;
  /** Whether it did without calibration. */
  readonly dataFree?: boolean | undefined;
  /** The file that was written. */
  readonly out: string;
}

/** What went wrong by the numbers, each with the option that helps. */
export function compressionWarnings(
  { sizes, result, dataFree = false }: CompressedModelFacts,
): string[] {
  const { originalBytes, compressedBytes, bitsPerWeight } = sizes;
  const warnings: string[] = [];
  if (compressedBytes >= originalBytes) {
    warnings.push("warning: the file is no smaller than the original; give fewer --bits");
  }
  if ((result?.sameTop1?.share ?? 1) < LOST_BELOW) {
    const more = Math.ceil(10 * (1.2 * bitsPerWeight + 0.2)) / 10;
    // Calibration costs no bits.
    const way = dataFree ? "leave --data-free out" : `try --bits ${formatFixed(more, 1)}`;
    warnings.push(`warning: most of the model's ability is lost; to keep more, ${way}`);
  }
  return warnings;
}

/** The command to type next: it lets both models write, or shows what the file holds. */
export function nextCommand(program: string, { out, result }: CompressedModelFacts): string {
  const target = basename(out) === COMPRESSED_NAME ? dirname(out) : out;
  const words = result === undefined
    ? ["inspect", target]
    : ["evaluate", target, "--prompt", "Once upon a time"];
  return commandLine([program, ...words]);
}
