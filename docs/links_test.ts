import assert from "node:assert";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
// Cards of models are no pages.
const PAGES = globSync(["*.md", "{docs,demo,kan}/**/*.md"], {
  cwd: ROOT,
  exclude: ["demo/models/**"],
});
const read = (page: string) => readFileSync(join(ROOT, page), "utf8");

/** Relative targets of the links and pictures of a page: the file from the root, and the anchor. */
function linksOf(page: string): { file: string; anchor: string }[] {
  const text = read(page).replace(/^```[^]*?^```/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1]!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor = ""] = target.split("#");
      return { file: path === "" ? page : join(dirname(page), path), anchor };
    });
}

/** The anchors that a page's headings have on GitHub. */
function anchorsOf(page: string): string[] {
  const text = read(page).replace(/^```[^]*?^```/gm, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
  );
}

Deno.test("links between pages lead to files and headings that exist", () => {
  assert.ok(PAGES.length > 15);
  for (const page of PAGES) {
    for (const { file, anchor } of linksOf(page)) {
      assert.ok(existsSync(join(ROOT, file)), `${page} links to ${file}`);
      if (anchor !== "") assert.ok(anchorsOf(file).includes(anchor), `${page}: ${file}#${anchor}`);
    }
  }
});

Deno.test("README.md or ARCHITECTURE.md link to every page", () => {
  const linked = new Set(["README.md", "ARCHITECTURE.md"].flatMap(linksOf).map(({ file }) => file));
  const missing = PAGES.filter((page) => page !== "README.md" && !linked.has(page));
  assert.deepEqual(missing, []);
});
