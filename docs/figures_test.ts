import assert from "node:assert";
import { readFileSync } from "node:fs";
import {
  figureBlocks,
  firstDifference,
  firstMissing,
  pagesWithFigures,
  shownPart,
  withTexts,
} from "./figures.ts";

const OUTPUT = `prose-4m, 4,273,664 parameters

                        original           compressed
size                     8.55 MB              2.13 MB  4.01× smaller than F16
perplexity            47.2 ± 2.5           47.3 ± 2.5

measured on 4,318 predicted tokens in 34 chunks of 256 of the embedded text
calibrated on 16,444 tokens
time: open 0.01 s
written to compressed/prose-4m-rate-4bit/model.kan.safetensors
`;

Deno.test("figures: pages show tables and what they were measured on", () => {
  const shown = shownPart(OUTPUT);
  assert.deepEqual(shown.split("\n").map((line) => line.trim().split(" ")[0]), [
    "original",
    "size",
    "perplexity",
    "",
    "measured",
    "written",
    "",
  ]);
});

Deno.test("figures: a page's blocks are found and replaced, and nothing else", () => {
  const page = (text: string) =>
    `# A\n\n<!-- figures: deno task compress --bits 3 -->\n\n\`\`\`text\n${text}\`\`\`\n\n` +
    "```text\nother\n```\n";
  assert.deepEqual(figureBlocks(page("x 1\n")), [{
    words: ["compress", "--bits", "3"],
    text: "x 1\n",
  }]);
  assert.equal(withTexts(page("x 1\n"), ["y $1\n"]), page("y $1\n"));
});

Deno.test("figures: processors may differ in the last digits, not more", () => {
  const shown = "mean KL  0.000630 ± 0.000016\n";
  assert.equal(firstDifference(shown, "mean KL  0.000631 ± 0.000018\n"), undefined);
  assert.match(firstDifference(shown, "mean KL  0.000690 ± 0.000016\n")!, /0\.000690/);
  assert.match(firstDifference(shown, "median  0.000630 ± 0.000016\n")!, /median/);
  assert.match(firstDifference(shown, "")!, /shown: +mean/);
});

Deno.test("figures: lines of a part are looked for in the block, wherever they stand", () => {
  const block =
    "   point  bits  mean KL\n*  rate  2.000  0.0223 ± 0.0005\n   nf4   4.546  0.0237 ± 0.0004\n";
  const part = (kl: string) => `   point  bits  mean KL\n*  nf4  4.546  ${kl} ± 0.0004\n`;
  assert.equal(firstMissing(block, part("0.0237")), undefined);
  assert.match(firstMissing(block, part("0.0300"))!, /0\.0300/);
  const page = "<!-- figures: deno task sweep --bits 2 -->\n" +
    `<!-- checked by: deno task sweep --presets nf4 -->\n\n\`\`\`text\n${block}\`\`\`\n`;
  assert.deepEqual(figureBlocks(page)[0]!.part, ["sweep", "--presets", "nf4"]);
  assert.match(withTexts(page, ["new\n"]), /nf4 -->\n\n```text\nnew\n```/);
});

Deno.test("figures: the documentation has blocks, and each is what its command could print", () => {
  const pages = pagesWithFigures();
  assert.ok(pages.includes("README.md"), pages.join());
  for (const page of pages) {
    const text = readFileSync(new URL(`../${page}`, import.meta.url), "utf8");
    for (const block of figureBlocks(text)) {
      assert.match(block.words[0]!, /^(compress|evaluate|sweep)$/);
      assert.equal(shownPart(`model\n\n${block.text}`), block.text, page);
    }
  }
});
