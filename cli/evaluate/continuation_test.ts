import assert from "node:assert";
import { continuationText } from "./continuation.ts";

Deno.test("two continuations stand side by side, one stands alone", () => {
  const both = continuationText("It was", { original: " late.", compressed: " early." }, 43);
  assert.equal(both, "original               compressed\n\nIt was late.           It was early.");
  assert.equal(continuationText("It was", { compressed: " early." }, 43), "It was early.");
});
