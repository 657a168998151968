import { join } from "node:path";
import { assertNear } from "../../data/testdata/assert_near.ts";
import { compress } from "../compress/compress.ts";
import { evaluate } from "./evaluate.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("evaluate --low-memory gives the same figures", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const text = join(folder, "text.txt");
    const common = { text: [text], threads: 1, backend: "wasm", seed: 0 } as const;
    const model = join(folder, "model");
    await compress(model, { ...common, bits: 8, out, dataFree: true }, recordedRun());
    const run = async (subject: string, more: Partial<EvaluateOptions> = {}) => {
      const run = recordedRun();
      const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1 };
      await evaluate(subject, { ...common, ...sampling, json: true, ...more }, run);
      const { seconds: _, ...figures } = JSON.parse(run.printed.join());
      return figures;
    };
    for (const subject of [model, out]) {
      // Exponentials are summed up in another order.
      assertNear(await run(subject, { lowMemory: true }), await run(subject), 1e-12);
    }
    await Deno.rename(model, join(folder, "moved"));
    assertNear(await run(out, { lowMemory: true }), await run(out), 1e-12);
  }));
