import assert from "node:assert";
import { foldText, formatColumns, formatTable, wrapText } from "./text_table.ts";

Deno.test("tables line up and leave no trailing spaces", () => {
  const table = formatTable([["a", "1", "x"], ["bcd", "22", ""]], ["left", "right", "left"]);
  assert.equal(table, "a     1  x\nbcd  22");
});

Deno.test("a table that is too wide has its long names on lines of their own", () => {
  const name = "model.layers.0.post_attention_layernorm.weight", figures = "1".repeat(40);
  const alignments = ["left", "right", "left"] as const;
  const rows = [["tensor", "bytes", "how"], ["short", "12", "a"], [name, figures, "b"]];
  const lines = formatTable(rows, alignments).split("\n");
  assert.ok(lines.every((line) => line.length <= 80), lines.join("\n"));
  assert.deepEqual(lines.slice(2), [name, `${" ".repeat(35)}${figures}  b`]);
  assert.equal(lines[1], `short${" ".repeat(68)}12  a`);
});

Deno.test("texts are wrapped at spaces, long words cut", () => {
  assert.deepEqual(wrapText("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapText("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
  assert.deepEqual(wrapText("a\n\nb", 4), ["a", "", "b"]);
});

Deno.test("long lines are broken at spaces; words, short lines and commands stay whole", () => {
  assert.equal(foldText("one  two three four", 9), "one  two\nthree\nfour");
  assert.equal(foldText("exactly 9\nb", 9), "exactly 9\nb");
  assert.equal(
    foldText("written to /a/very/long/path and more", 10),
    "written to\n/a/very/long/path\nand more",
  );
  assert.equal(foldText("/a/very/long/path", 10), "/a/very/long/path");
  assert.equal(foldText("next:\n  deno task evaluate it", 10), "next:\n  deno task evaluate it");
  assert.equal(foldText("", 10), "");
});

Deno.test("columns stand side by side", () => {
  const text = formatColumns(["original", "compressed"], ["It was night.", "It was."], 43);
  assert.equal(text, "original               compressed\n\nIt was night.          It was.");
});
