import assert from "node:assert";
import { formatFrontMatter, parseFrontMatter } from "./front_matter.ts";

Deno.test("the head of a model's card is read, as texts", () => {
  const page =
    '---\nlicense: apache-2.0\nlanguage:\n- en\n- no\nversion: 2.0\ntags: [a, "b: c"]\n' +
    "widget:\n- text: hello\n---\n\n# A model\n\n---\nnot: this\n---\n";
  assert.deepEqual(parseFrontMatter(page), {
    license: "apache-2.0",
    language: ["en", "no"],
    version: "2.0",
    tags: ["a", "b: c"],
  });
  assert.deepEqual(parseFrontMatter("\uFEFF---\r\nlicense: mit\r\n---\r\n"), { license: "mit" });
});

Deno.test("what is written is read again, whatever it says", () => {
  const values = {
    license: "no",
    license_name: "it's: [a] #mess\n---\nof text",
    tags: ["1.0", "null", "", "---", "é\u2028", "*a", "&b", "x".repeat(300)],
  };
  const head = formatFrontMatter(values);
  assert.deepEqual(parseFrontMatter(`${head}\n# A model\n`), values);
});

Deno.test("a page without a head, or with a broken one, has no values", () => {
  const broken = ["", "# A page", "---\n", "---\na: b", "---\n: [\n---\n", "---\n- a\n---\n"];
  const bomb = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\nd: *a\n---\n";
  for (const page of [...broken, "---\na: {b: c}\n---\n", "---\na: 1\na: 2\n---\n"]) {
    assert.deepEqual(parseFrontMatter(page), {}, page);
  }
  assert.deepEqual(parseFrontMatter(bomb), { a: ["x", "x"], d: ["x", "x"] });
});
