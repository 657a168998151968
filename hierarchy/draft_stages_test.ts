import assert from "node:assert";
import { createRandom } from "../kan/numeric/random.ts";
import { draftOf } from "./draft_stages.ts";
import { createFieldLevel } from "./levels/field_level.ts";
import { KeptFit } from "./levels/kept_fit.ts";
import { levelBytes } from "./levels/level_codecs.ts";
import { createTrellisLevel } from "./levels/trellis_level.ts";
import { heldMatrix } from "./matrix/held_matrix.ts";
import type { Matrix } from "./matrix/matrix.ts";
import { shiftSteps, uniformShifts } from "./rate/equalize_rates.ts";
import { estimateRate } from "./rate/rate_estimate.ts";
import { CodingWorkers } from "./workers/coding_workers.ts";
import type { QuantizeTask } from "./workers/coding_tasks.ts";
import type { RunTasks } from "./workers/task_runner.ts";

const LAYERS = 24;

/** Layers of growing size, with feedback between rows, and a long matrix. */
function layeredMatrices(): Matrix[] {
  const random = createRandom(7);
  const matrix = (name: string, rows: number, columns: number, size: number): Matrix => {
    const feedback = Float32Array.from(
      { length: rows * (rows - 1) / 2 },
      () => random.normal() / 4 / Math.sqrt(rows),
    );
    const weights = (length: number) =>
      Float64Array.from({ length }, () => size * 2 ** (random.normal() / 2));
    const metric = { rowWeights: weights(rows), columnWeights: weights(columns), feedback };
    const stored = Float32Array.from({ length: rows * columns }, () => random.normal());
    return heldMatrix({ name, rows, columns, metric }, { stored, transposed: true });
  };
  return [
    matrix("head.weight", 24, 12 * 1024 + 100, 1),
    ...Array.from({ length: LAYERS }, (_, layer) => [
      matrix(`layers.${layer}.up.weight`, 48, 96, 1 + layer / LAYERS),
      matrix(`layers.${layer}.down.weight`, 96, 48, 2 - layer / LAYERS),
    ]).flat(),
  ];
}

const matrices = layeredMatrices();
const values = matrices.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
const SETTINGS = { states: 64, rateWeight: 0.06 };

/** Workers that count the values that are quantized. */
function countingWorkers() {
  const counted = { values: 0 };
  const through = (run: RunTasks): RunTasks => (kind, tasks, options) => {
    if (kind === "quantize") {
      for (const { matrix } of tasks as readonly QuantizeTask[]) {
        counted.values += matrix.rows * matrix.columns;
      }
    }
    return run(kind, tasks, options);
  };
  return { counted, workers: new CodingWorkers(1, false, through) };
}

Deno.test("a draft of a part of the values tells the bytes of all, with and without equal rates", async () => {
  const estimate = estimateRate(matrices, 2);
  const { counted, workers } = countingWorkers();
  const context = { seed: 0, workers };
  for (const isUniform of [false, true]) {
    const kept = new KeptFit();
    const draft = draftOf(matrices, () => estimate, { ...SETTINGS, kept }, 0)!;
    for (const step of [0.5, 0.7]) {
      const shifts = isUniform ? uniformShifts(estimate, Math.log2(step)) : undefined;
      const moved = shifts === undefined ? matrices : shiftSteps(matrices, shifts);
      counted.values = 0;
      const drafted = await draft.bytesAt(step, moved, shifts, context);
      assert.ok(counted.values < 0.4 * values, `${counted.values} of ${values} values`);
      assert.ok(kept.at(step)!.scales.some((scales) => scales !== undefined));
      const field = await createFieldLevel({ step }).encode(moved, context);
      const level = createTrellisLevel({ ...SETTINGS, kept, step });
      counted.values = 0;
      const { encoded } = await level.encode(field.output, context);
      assert.equal(counted.values, values, "a trial after a draft takes one pass");
      const bytes = levelBytes(field.encoded) + levelBytes(encoded);
      assert.ok(Math.abs(drafted / bytes - 1) < 0.005, `${drafted} for ${bytes}`);
    }
  }
  workers.close();
});

Deno.test("there is no draft where a trial takes hardly longer", () => {
  const estimate = () => estimateRate(matrices, 2);
  assert.equal(draftOf(matrices, estimate, { states: 1 }, 0), undefined);
  assert.equal(draftOf(matrices, estimate, { states: 8 }), undefined);
  assert.notEqual(draftOf(matrices, estimate, SETTINGS), undefined);
});
