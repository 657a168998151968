/** A pair that is merged, and what orders it. */
interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
}

/**
 * The merges of a SentencePiece vocabulary that lists none: each token, cut in two where both parts
 * are tokens, the highest scores first. Of equal scores those whose left part is longer come first,
 * then those whose right part is, then those of earlier tokens, as transformers orders them; lengths
 * are in characters.
 *
 * ```ts
 * import { mergesFromScores } from "./sentencepiece_merges.ts";
 * import assert from "node:assert";
 *
 * const merges = mergesFromScores(["a", "b", "ab", "aba"], [0, 0, -2, -1]);
 * assert.deepEqual(merges, [["ab", "a"], ["a", "b"]]);
 * ```
 */
export function mergesFromScores(
  tokens: readonly string[],
  scores: readonly number[],
): [string, string][] {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merges = tokens.flatMap((token, id) => {
    const found: Merge[] = [];
    for (let at = width(token, 0); at < token.length; at += width(token, at)) {
      const left = token.slice(0, at), right = token.slice(at);
      if (ids.has(left) && ids.has(right)) found.push({ left, right, score: scores[id]! });
    }
    return found.sort((a, b) =>
      ids.get(a.left)! - ids.get(b.left)! || ids.get(a.right)! - ids.get(b.right)!
    );
  });
  const length = (text: string) => [...text].length;
  return merges
    .sort((a, b) =>
      b.score - a.score || length(b.left) - length(a.left) || length(b.right) - length(a.right)
    )
    .map(({ left, right }) => [left, right]);
}

/** UTF-16 units of the character at a place. */
function width(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
