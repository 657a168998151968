import type { RowColumnScales } from "./entropy/row_column_scales.ts";
import type { EncodeContext } from "./levels/level.ts";
import { levelBytes } from "./levels/level_codecs.ts";
import { createFieldLevel } from "./levels/field_level.ts";
import { KeptFit } from "./levels/kept_fit.ts";
import { draftTrellis } from "./levels/trellis_draft.ts";
import { FIRST_STATES, type TrellisLevelOptions } from "./levels/trellis_level.ts";
import type { Matrices } from "./matrix/matrix.ts";
import {
  type DraftPart,
  draftParts,
  draftSample,
  extrapolateBits,
  extrapolateFields,
  matrixOfPart,
} from "./rate/draft_sample.ts";
import {
  estimateRate,
  matrixBits,
  type MatrixRate,
  type RateEstimate,
} from "./rate/rate_estimate.ts";
import { planSegments } from "./scan/pieces.ts";

/** Drafts of the step-dependent levels. */
export interface StageDraft {
  /**
   * About how many bytes the streams take at a step; `moved` are the matrices with their steps moved by
   * `shifts` octaves, where they are.
   */
  bytesAt(
    step: number,
    moved: Matrices,
    shifts: readonly number[] | undefined,
    context: EncodeContext,
  ): Promise<number>;
}

/**
 * What tells the size of matrices at a step from a sample of them, which are quantized by few states;
 * undefined where a trial of all takes hardly longer. The fits of the sample are kept for the trials.
 */
export function draftOf(
  matrices: Matrices,
  estimate: () => RateEstimate,
  { states, rateWeight = 0, kept }: Pick<TrellisLevelOptions, "states" | "rateWeight" | "kept">,
  fewestValues?: number,
): StageDraft | undefined {
  if (states === 1) return undefined;
  const parts = draftParts(matrices);
  const sample = draftSample(parts, fewestValues);
  const isAll = sample.length === parts.length;
  if (isAll && (rateWeight === 0 || states <= FIRST_STATES)) return undefined;
  const sampled = sample.map((i) => parts[i]!);
  const isWhole = ({ matrix, columns }: DraftPart) => columns === matrices[matrix]!.columns;
  const keptOfSample = new KeptFit();
  let rates: readonly MatrixRate[] | undefined;
  return {
    async bytesAt(step, moved, shifts, context) {
      rates ??= ratesOf(parts, matrices, estimate());
      const { encoded, output } = await createFieldLevel({ step }).encode(moved, context);
      const guess = rateWeight > 0 ? keptOfSample.at(step) : undefined;
      const places = sampled.map((part) =>
        isWhole(part) ? `${part.matrix}` : `${part.matrix}-${part.start}`
      );
      const drafted = await draftTrellis(
        sampled.map((part) => matrixOfPart(output, part)),
        { states, rateWeight, guess, places },
        context,
      );
      const { model, scales } = drafted;
      const unknown = (): RowColumnScales | undefined => undefined;
      // Drafts are to begin as the trial does, which knows no scales of most matrices.
      keptOfSample.keep({ model, scales: isAll ? scales : scales.map(unknown), step });
      if (rateWeight > 0) {
        const known = matrices.map(unknown);
        sampled.forEach((part, at) => {
          if (isWhole(part)) known[part.matrix] = scales[at];
        });
        kept?.keep({ model, scales: known, step });
      }
      const estimated = rates.map((rate, i) =>
        matrixBits(rate, Math.log2(step) + (shifts?.[parts[i]!.matrix] ?? 0))
      );
      const bits = new Map(sample.map((i, at) => [i, drafted.bits[at]!]));
      const fields = new Map(sample.map((i, at) => [i, drafted.fieldBytes[at]!]));
      return levelBytes(encoded) + drafted.modelBytes +
        drafted.endBytes * planSegments(matrices).length +
        extrapolateFields(matrices, parts, fields) + extrapolateBits(parts, estimated, bits) / 8;
    },
  };
}

/** What each part takes at any step. */
function ratesOf(
  parts: readonly DraftPart[],
  matrices: Matrices,
  whole: RateEstimate,
): MatrixRate[] {
  return parts.map((part) =>
    part.columns === matrices[part.matrix]!.columns
      ? whole.matrices[part.matrix]!
      : estimateRate([matrixOfPart(matrices, part)], 2).matrices[0]!
  );
}
