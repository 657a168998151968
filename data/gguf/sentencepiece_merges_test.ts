import assert from "node:assert";
import { mergesFromScores } from "./sentencepiece_merges.ts";

Deno.test("merges are ordered by score, then by lengths in characters", () => {
  const tokens = ["a", "b", "😀", "ab", "ba", "a😀", "aba", "x"];
  const scores = [0, 0, 0, -1, -1, -2, -3, -4];
  assert.deepEqual(mergesFromScores(tokens, scores), [
    ["a", "b"],
    ["b", "a"],
    ["a", "😀"],
    ["ab", "a"],
    ["a", "ba"],
  ]);
});

Deno.test("a token that is not two others is no merge", () => {
  assert.deepEqual(mergesFromScores(["a", "bc", "abcd"], [0, 0, 0]), []);
});
