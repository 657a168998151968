import assert from "node:assert";
import { createRandom } from "../../kan/numeric/random.ts";
import { createTrellis } from "../scan/trellis.ts";
import { runTasksHere } from "../workers/task_runner.ts";
import { fitEntropyModel } from "../levels/fit_entropy_model.ts";
import { encodeSegment, idealBits } from "./index_code.ts";
import { planSegments } from "../scan/pieces.ts";
import { symbolTables } from "./symbol_model.ts";

Deno.test("code streams are within 0.5 % of their ideal length", async () => {
  const random = createRandom(12);
  const [rows, columns] = [300, 400];
  for (const [states, deviation] of [[1, 0.6], [8, 1.5], [8, 6], [1, 40]] as const) {
    const trellis = createTrellis(states);
    const data = Float32Array.from(
      { length: rows * columns },
      (_, i) => random.normal() * deviation * (1 + (i % 7) / 3),
    );
    const task = { states, matrix: { name: "w", rows, columns, data } };
    const quantized = await runTasksHere("quantize", [task]);
    const { matrices, model } = await fitEntropyModel(states, quantized, runTasksHere);
    const tables = symbolTables(model);
    const bytes = planSegments(matrices)
      .map((segment) => encodeSegment(trellis, segment, matrices, tables).length)
      .reduce((sum, length) => sum + length, 0);
    const ideal = idealBits(trellis, matrices[0]!, tables);
    assert.ok(8 * bytes >= ideal - 8 && 8 * bytes < 1.005 * ideal, `${8 * bytes} for ${ideal}`);
  }
});
