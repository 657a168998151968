import assert from "node:assert";
import { join } from "node:path";
import { compress } from "../compress/compress.ts";
import { evaluate } from "./evaluate.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { recordedSession } from "../testdata/recorded_session.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("evaluate --low-memory gives the same figures", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const text = join(folder, "text.txt");
    const common = { text, threads: 1, backend: "wasm", seed: 0 } as const;
    const model = join(folder, "model");
    await compress(model, { ...common, bits: 8, out, dataFree: true }, recordedSession());
    const run = async (subject: string, more: Partial<EvaluateOptions> = {}) => {
      const session = recordedSession();
      const sampling = { maxTokens: 5, temperature: 1, topK: 0, topP: 1 };
      await evaluate(subject, { ...common, ...sampling, json: true, ...more }, session);
      const { seconds: _, ...figures } = JSON.parse(session.printed.join());
      return figures;
    };
    for (const subject of [model, out]) {
      assert.deepEqual(await run(subject, { lowMemory: true }), await run(subject));
    }
    await Deno.rename(model, join(folder, "moved"));
    assert.deepEqual(await run(out, { lowMemory: true }), await run(out));
  }));
