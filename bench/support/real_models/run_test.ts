import assert from "node:assert";
import { join } from "node:path";
import { recordedRun } from "../../../cli/testdata/recorded_run.ts";
import { withWorkFolder } from "../../../cli/testdata/work_folder.ts";
import { needsLlamaCpp } from "../../../interop/needs_llama_cpp.ts";
import type { RealModelsOptions } from "./options.ts";
import { readResults } from "./results_file.ts";
import { realModels } from "./run.ts";

function optionsIn(folder: string, more: Partial<RealModelsOptions> = {}): RealModelsOptions {
  const text = { path: join(folder, "text.txt"), from: 0, to: 1 };
  return {
    bits: [8, 6],
    types: [],
    calibration: { ...text, name: "ferry" },
    calibrationTokens: 128,
    text: [{ ...text, name: "ferry" }, { ...text, name: "half", from: 0.5 }],
    chunks: 1,
    task: [],
    out: join(folder, "out"),
    threads: 1,
    backend: "cpu",
    ...more,
  };
}

Deno.test("what is known is not computed again, and a cut line is", () =>
  withWorkFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "text.txt"), "The ferry was late.\n".repeat(20));
    const model = join(folder, "model");
    const run = recordedRun();
    await realModels([model], optionsIn(folder), run);
    const path = join(folder, "out/model/results.jsonl");
    const lines = await readResults(path);
    assert.deepEqual(
      Object.entries(Object.groupBy(lines, ({ kind }) => kind)).map(
        ([kind, some]) => [kind, some!.length],
      ),
      [["setup", 1], ["calibration", 1], ["file", 2], ["text", 6]],
    );
    const tables = run.printed.join();
    assert.match(tables, /\| kanpress 8\.00 \|.*\n\| kanpress 6\.00 \|/);
    assert.match(tables, /half, \d+ predictions/);
    // As if the machine had stopped while the last line was written.
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.slice(0, -40));
    const again = recordedRun();
    await realModels([model], optionsIn(folder), again);
    assert.equal(again.printed.join(), tables);
    assert.deepEqual(again.lines.filter((line) => line.startsWith("kanpress")).length, 2);
    assert.equal((await readResults(path)).length, lines.length);
    const other = optionsIn(folder, { calibrationTokens: 64 });
    await assert.rejects(realModels([model], other, recordedRun()), /another model, calibration/);
    const shown = recordedRun();
    await realModels([model], optionsIn(folder, { tables: true, bits: [1] }), shown);
    assert.equal(shown.printed.join(), tables);
  }));

Deno.test(
  "llama.cpp's quantization is measured beside ours",
  needsLlamaCpp,
  () =>
    withWorkFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "text.txt"), "The ferry was late.\n".repeat(20));
      // Rows of 16 are not whole blocks: llama.cpp keeps all but one matrix in f16.
      const options = optionsIn(folder, { bits: [], types: ["Q4_0"], text: [] });
      const run = recordedRun();
      await realModels([join(folder, "model")], options, run);
      const results = await readResults(join(folder, "out/model/results.jsonl"));
      const measured = results.find((line) => line.kind === "text")!;
      assert.equal(measured.method, "llama.cpp Q4_0");
      const { mean } = measured.result.klDivergence!;
      assert.ok(mean > 0 && mean < 0.01, `${mean}`);
      const made = results.find((line) => line.kind === "file")!;
      assert.ok(made.file.counted < made.file.bytes && made.file.linear < made.file.counted);
    }),
);
