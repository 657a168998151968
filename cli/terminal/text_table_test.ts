import assert from "node:assert";
import { formatColumns, formatTable, wrapText } from "./text_table.ts";

Deno.test("tables line up and leave no trailing spaces", () => {
  const table = formatTable([["a", "1", "x"], ["bcd", "22", ""]], ["left", "right", "left"]);
  assert.equal(table, "a     1  x\nbcd  22");
});

Deno.test("texts are wrapped at spaces, long words cut", () => {
  assert.deepEqual(wrapText("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapText("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
  assert.deepEqual(wrapText("a\n\nb", 4), ["a", "", "b"]);
});

Deno.test("columns stand side by side", () => {
  const text = formatColumns(["original", "compressed"], ["It was night.", "It was."], 43);
  assert.equal(text, "original               compressed\n\nIt was night.          It was.");
});
