/**
 * Scores by which llama.cpp joins SentencePiece's tokens in the order of the merges: the later a
 * token is first made, the lower; 0 for tokens that no merge makes.
 */
export function sentencePieceScores(
  tokens: readonly string[],
  pairs: readonly (readonly [string, string])[],
): number[] {
  const ranks = new Map<string, number>();
  pairs.forEach(([left, right], rank) => {
    const token = left + right;
    if (!ranks.has(token)) ranks.set(token, rank);
  });
  return tokens.map((token) => -(ranks.get(token) ?? -1) - 1);
}

/**
 * How many pairs of tokens make a token without being listed as a merge: llama.cpp would join them.
 * None of a vocabulary that SentencePiece learned.
 */
export function countUnlistedPairs(
  tokens: ReadonlySet<string>,
  pairs: readonly (readonly [string, string])[],
): number {
  const listed = new Set(pairs.map((pair) => pair.join("\0")));
  let missing = 0;
  for (const token of tokens) {
    const characters = [...token];
    for (let at = 1; at < characters.length; at++) {
      const left = characters.slice(0, at).join(""), right = characters.slice(at).join("");
      if (!tokens.has(left) || !tokens.has(right)) continue;
      if (!listed.has(`${left}\0${right}`)) missing += 1;
    }
  }
  return missing;
}
