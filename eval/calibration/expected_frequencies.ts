/** Share of other text that a model's predictions stand for where none is estimated. */
const LEAST_SHARE = 0;

/**
 * How often each token of the vocabulary may be expected to be an input of other text. `seen` are
 * shares of a calibration text of `tokens` tokens; most tokens of a large vocabulary do not occur in
 * it. By the estimate of Good and Turing, as much of other text is made of those as of this one is
 * made of tokens that came once. That share follows the model's own mean predictions (`predicted`,
 * in any unit), which reach every token. `share` takes its place where it is given.
 */
export function expectedFrequencies(
  seen: Float64Array,
  predicted: Float64Array | undefined,
  tokens: number,
  share: number = unseenShare(seen, tokens),
): Float64Array {
  const total = predicted?.reduce((sum, value) => sum + value, 0) ?? 0;
  if (predicted === undefined || predicted.length !== seen.length || !(total > 0)) return seen;
  return seen.map((value, token) => (1 - share) * value + share * predicted[token]! / total);
}

/** Share of a text that tokens make which came once: what is new in as much text again, about. */
export function unseenShare(seen: Float64Array, tokens: number): number {
  let once = 0;
  for (const value of seen) if (Math.round(value * tokens) === 1) once++;
  return Math.max(LEAST_SHARE, once / tokens);
}
