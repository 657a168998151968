import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { drawPictures } from "./pictures.ts";

Deno.test("the documentation's pictures are those of the notebooks", async () => {
  const pages = await Promise.all(
    ["../README.md", "../docs/notebooks.md"].map((page) =>
      readFile(new URL(page, import.meta.url), "utf8")
    ),
  );
  for (const [file, svg] of await drawPictures()) {
    assert.equal(await readFile(new URL(`../${file}`, import.meta.url), "utf8"), svg, file);
    const name = basename(file);
    assert.ok(pages.some((page) => page.match(/!\[.*\]\((docs\/)?([^)]*)\)/)?.[2] === name), name);
    assert.ok(svg.length < 50_000);
  }
});
