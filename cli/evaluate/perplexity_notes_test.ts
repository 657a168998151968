import assert from "node:assert";
import { perplexityNotes } from "./perplexity_notes.ts";

function notes(original: number, compressed?: number): string[] {
  const chunkMeans = { tokens: [1, 3], original: [1000, 2000], compressed: [1000, 1000] };
  return perplexityNotes({ perplexity: { original, compressed: compressed! }, chunkMeans }, 257);
}

Deno.test("perplexities that measure something need no note", () => {
  assert.deepEqual(notes(47), []);
  assert.deepEqual(notes(256.9, 257.1), []);
});

Deno.test("a perplexity that is infinite, or that of a model that knows nothing, says what it means", () => {
  assert.match(
    notes(Infinity).join(),
    /^The model's perplexity is infinite: .* 1,750 nats per token/,
  );
  assert.match(
    notes(257).join(),
    /^The model's perplexity is the size of its vocabulary: .* config/,
  );
  assert.match(notes(NaN).join(), /is not a number/);
  const both = notes(257.00000001, Infinity);
  assert.equal(both.length, 2);
  assert.match(both[0]!, /^The original's perplexity is the size of its vocabulary/);
  assert.match(both[1]!, /^The compressed model's .* 1,000 nats per token .* more bits/);
});
