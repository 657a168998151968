import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { drawPictures } from "./pictures.ts";

Deno.test("the README's pictures are those of the notebooks", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  for (const [file, svg] of await drawPictures()) {
    assert.equal(await readFile(new URL(`../${file}`, import.meta.url), "utf8"), svg, file);
    assert.ok(readme.includes(`](${file})`), `README.md does not show ${file}`);
    assert.ok(svg.length < 50_000);
  }
});
