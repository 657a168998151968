import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

const ROOT = import.meta.dirname!;
const THIS = basename(import.meta.filename!);

/** Files of tests, and what they share, that have `words`. */
function filesWith(words: RegExp, glob: string | string[] = "**/*_test.ts"): string[] {
  return globSync(glob, { cwd: ROOT }).filter((file) =>
    file !== THIS && words.test(readFileSync(join(ROOT, file), "utf8"))
  ).sort();
}

Deno.test("tests that open a WebGPU device run one after another", () => {
  // Drivers in software corrupt their memory where threads of one process have devices.
  const files = filesWith(/\bneedsWebGpu\b|requestAdapter/);
  const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  assert.ok(files.length > 0);
  assert.equal(tasks["test:webgpu"], `deno test --allow-all ${files.join(" ")}`);
  assert.ok(tasks.test.includes(`--ignore=${files.join(",")} `));
});

Deno.test("tests leave no temporary files: they make them in a TemporaryFolder", () => {
  const making = /\bmakeTemp(Dir|File)|\bmkdtemp|\bmkstemp|\btmpdir\b/;
  const helper = join("data", "testdata", "temporary_folder.ts");
  assert.deepEqual(filesWith(making, ["**/*_test.ts", "**/testdata/**/*.{ts,py}"]), [helper]);
});

Deno.test("tests measure no time, which depends on what else the machine does", () => {
  // These kill a process at some moment of its run, and ask for nothing by the clock.
  const killing = ["drift_test.ts", "kept_work_test.ts"].map((name) => join("cli/compress", name));
  assert.deepEqual(filesWith(/\bperformance\.now\(|\bDate\.now\(\) -/), killing);
});
