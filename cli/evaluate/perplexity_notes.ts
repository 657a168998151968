import type { EvaluationResult } from "../../eval/mod.ts";
import { formatMeasure } from "../../eval/report/number_text.ts";

/** Perplexities as near to the vocabulary's size are that of a model that knows nothing. */
const SAME = 1e-6;

/**
 * What a perplexity means that is not a measure of how well a model predicts, in one sentence for
 * each model: where it is infinite, not a number, or exactly the number of tokens in the
 * vocabulary.
 */
export function perplexityNotes(
  { perplexity, chunkMeans }: Pick<EvaluationResult, "perplexity" | "chunkMeans">,
  vocabularySize: number,
): string[] {
  const isPair = perplexity.compressed !== undefined;
  return (["original", "compressed"] as const).flatMap((which) => {
    const value = perplexity[which], losses = chunkMeans[which];
    if (value === undefined || losses === undefined) return [];
    const whose = !isPair
      ? "The model's"
      : which === "original"
      ? "The original's"
      : "The compressed model's";
    const advice = which === "original"
      ? "check its weights and config.json"
      : "give it more bits, or check the original";
    if (Number.isNaN(value)) {
      return [`${whose} perplexity is not a number: its logits overflow float32; ${advice}`];
    }
    if (value === Infinity) {
      const loss = formatMeasure(weightedMean(losses, chunkMeans.tokens));
      return [
        `${whose} perplexity is infinite: its mean loss of ${loss} nats per token is beyond what ` +
        `exp() can hold, since tokens came to which it gives next to no probability; ${advice}`,
      ];
    }
    if (Math.abs(value / vocabularySize - 1) > SAME) return [];
    return [
      `${whose} perplexity is the size of its vocabulary: it gives every token the same ` +
      `probability, as where weights are all zero; ${advice}`,
    ];
  });
}

function weightedMean(values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values.reduce((sum, value, i) => sum + value * weights[i]! / total, 0);
}
