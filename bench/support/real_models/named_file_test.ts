import assert from "node:assert";
import { namedFile, partOfText, severalNamedFiles } from "./named_file.ts";

Deno.test("a text is named, and may be a part of a file", () => {
  assert.deepEqual(namedFile("WikiText-2=a/b.txt"), {
    name: "WikiText-2",
    path: "a/b.txt",
    from: 0,
    to: 1,
  });
  assert.deepEqual(namedFile("novel=hf://datasets/x/y=z.parquet#50-100"), {
    name: "novel",
    path: "hf://datasets/x/y=z.parquet",
    from: 0.5,
    to: 1,
  });
  for (const wrong of ["file.txt", "=file", "a=", "a=b#50-50", "a=b#0-101", ""]) {
    assert.throws(() => namedFile(wrong), /name=file/, wrong);
  }
  assert.throws(() => severalNamedFiles("a=c", [namedFile("a=b")]), /a is there twice/);
});

Deno.test("parts of a text are whole lines, and together the text", () => {
  const text = Array.from({ length: 20 }, (_, i) => "x".repeat(i * i % 7)).join("\n");
  const halves = [[0, 0.5], [0.5, 1]].map(([from, to]) =>
    partOfText(text, { from: from!, to: to! })
  );
  assert.equal(halves.join(""), text);
  assert.ok(halves[0]!.endsWith("\n") && halves[0]!.length >= text.length / 2);
  assert.equal(partOfText("one line", { from: 0.5, to: 1 }), "");
});
