import assert from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The rooms of the house, from the ground up: a file imports from its own room and those below. */
const ROOMS = [
  "data",
  "workers",
  "store",
  "kan/numeric",
  "kan/kernels",
  "kan/bases",
  "kan/model",
  "kan/engine",
  "kan/layers",
  "kan/optimizers",
  "kan/fitting",
  "kan/pruning",
  "kan/growing",
  "kan/interchange",
  "kan/symbolic",
  "kan/data",
  "kan/plots",
  "kan",
  "hierarchy/format",
  "hierarchy/matrix",
  "hierarchy/kernels",
  "hierarchy/scan",
  "hierarchy/entropy",
  "hierarchy/metric",
  "hierarchy/quantize",
  "hierarchy/workers",
  "hierarchy/levels",
  "hierarchy/rate",
  "hierarchy/file",
  "hierarchy/streaming",
  "hierarchy",
  "distributed",
  "baselines",
  "eval/architectures",
  "eval/compute",
  "eval/kernels",
  "eval/protocols",
  "eval/weights",
  "eval/layers",
  "gguf",
  "eval/model",
  "eval/scores",
  "eval/onnx",
  "eval/wasm",
  "eval/webgpu",
  "eval/native",
  "eval/scoring",
  "eval/generation",
  "eval/calibration",
  "eval/training",
  "eval/drift",
  "eval/measure",
  "eval/tasks",
  "eval/plots",
  "eval/report",
  "eval",
  "demo",
  "cli/terminal",
  "cli/options",
  "cli/input",
  "cli/output",
  "cli/forecast",
  "cli/evaluate",
  "cli/compress",
  "cli/sweep",
  "cli",
  "", // mod.ts and cli.ts
  "kernels",
  "packaging",
  "fuzz",
  "interop",
  "notebooks",
  "bench",
];

/** What each module imports, types included. */
const imports = new Map(
  globSync("**/*.ts", { cwd: import.meta.dirname!, exclude: ["**/*.as.ts", "**/dist/**"] })
    .filter((file) => !/_test\.ts$|testdata\/|\.d\.ts$/.test(file))
    .map((file) => {
      const code = readFileSync(join(import.meta.dirname!, file), "utf8").replace(
        /^\s*\*.*$/gm,
        "",
      );
      const found = code.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"(\.[^"]+)"/g);
      return [file, [...found].map(([, path]) => join(dirname(file), path!))];
    }),
);

function roomOf(file: string): number {
  const folder = dirname(file);
  const names = ROOMS.filter((room) => `${folder}/`.startsWith(`${room}/`));
  return ROOMS.indexOf(names.sort((a, b) => b.length - a.length)[0] ?? "");
}

Deno.test("imports: no room imports from one above it", () => {
  const upward = [...imports].flatMap(([file, targets]) =>
    targets.filter((target) => roomOf(target) > roomOf(file)).map((to) => `${file} -> ${to}`)
  );
  assert.deepEqual(upward, []);
});

Deno.test("imports: no module imports itself by way of others", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `a loop: ${[...path, file].join(" -> ")}`);
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  assert.ok(done.size > 100);
});
