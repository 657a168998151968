import assert from "node:assert";
import { quantizationNotes } from "./quantization_note.ts";

Deno.test("figures of a quantized original come with a sentence, those of others without", () => {
  assert.deepEqual(quantizationNotes(undefined), []);
  const [note] = quantizationNotes("GGUF Q4_K and Q6_K");
  assert.match(note!, /^The original is quantized already \(GGUF Q4_K and Q6_K\): divergences are/);
});
