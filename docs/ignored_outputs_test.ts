import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Where a command of the documentation writes, in the checkout. */
const OUTPUTS = /(?:--out|--build|-o) ([\w.][\w./-]*)|task examples \S+ ([\w.][\w./-]*)/g;

/** Exit status and output of git in the checkout. */
function git(...args: string[]) {
  return new Deno.Command("git", { args, cwd: ROOT }).outputSync();
}

function hasGit(): boolean {
  try {
    return git("rev-parse").success;
  } catch {
    return false;
  }
}

Deno.test({
  name: "what documented commands write is ignored by git, and by the checks",
  ignore: !hasGit(),
  fn() {
    const pages = globSync(["*.md", "{docs,demo,kan}/**/*.md"], { cwd: ROOT });
    const outputs = pages.flatMap((page) =>
      Array.from(
        readFileSync(`${ROOT}${page}`, "utf8").matchAll(/^(?:deno|npx) .*$/gm),
        ([line]) => Array.from(line.matchAll(OUTPUTS), ([, out, folder]) => out ?? folder!),
      ).flat()
    );
    assert.ok(outputs.includes("site") && outputs.length > 5, outputs.join());
    const seen = outputs.filter((out) => {
      // A folder is known as one by its slash; what is beside the checkout is none of its files.
      const path = /\.\w+$/.test(out) ? out : `${out.replace(/\/$/, "")}/`;
      return !out.startsWith("..") && !git("check-ignore", "-q", path).success;
    });
    assert.deepEqual(seen, []);
  },
});
