import assert from "node:assert";
import { createTrellisLevel } from "../levels/trellis_level.ts";
import type { Matrices, Matrix } from "../matrix/matrix.ts";
import type { QuantizeTask } from "./coding_tasks.ts";
import { CodingWorkers, runnerOf } from "./coding_workers.ts";
import { randomMatrices } from "../testdata/random_matrices.ts";

/** Matrices of several sizes, some with a metric. */
function smallMatrices(): Matrix[] {
  return randomMatrices([[40, 30], [5, 700], [64, 64], [1, 9], [33, 2]]);
}

async function withWorkers<T>(
  threads: number,
  use: (workers: CodingWorkers) => Promise<T>,
): Promise<T> {
  const workers = new CodingWorkers(threads);
  try {
    return await use(workers);
  } finally {
    workers.close();
  }
}

function encode(matrices: Matrices, threads: number) {
  const level = createTrellisLevel({ states: 8, rateWeight: 0.1, ratePasses: 1 });
  return withWorkers(threads, (workers) => level.encode(matrices, { seed: 0, workers }));
}

Deno.test("one, two and three threads give the same bytes", async () => {
  const matrices = smallMatrices();
  const { encoded } = await encode(matrices, 1);
  for (const threads of [2, 3]) {
    assert.deepEqual((await encode(matrices, threads)).encoded, encoded);
  }
});

Deno.test("results come in the order of the tasks, and progress as each ends", async () => {
  const tasks: QuantizeTask[] = smallMatrices().map((matrix) => ({ states: 4, matrix }));
  for (const threads of [1, 2]) {
    await withWorkers(threads, async (workers) => {
      const run = runnerOf(workers);
      const done: number[] = [];
      const results = await run("quantize", tasks, { onDone: (count) => done.push(count) });
      assert.deepEqual(
        results.map(({ rows, columns }) => [rows, columns]),
        tasks.map(({ matrix: { rows, columns } }) => [rows, columns]),
      );
      assert.deepEqual(done, [1, 2, 3, 4, 5]);
      assert.deepEqual(await run("quantize", []), []);
    });
  }
});

Deno.test("a failing task ends the run, and the runner can go on", async () => {
  const tasks: QuantizeTask[] = smallMatrices().map((matrix) => ({ states: 4, matrix }));
  for (const threads of [1, 2]) {
    await withWorkers(threads, async (workers) => {
      const run = runnerOf(workers);
      await assert.rejects(run("quantize", [...tasks, { ...tasks[0]!, states: 5 }]), /not 5/);
      assert.equal((await run("quantize", tasks)).length, 5);
    });
  }
});

Deno.test("a signal stops the run with its reason", async () => {
  const tasks: QuantizeTask[] = smallMatrices().map((matrix) => ({ states: 4, matrix }));
  for (const threads of [1, 2]) {
    await withWorkers(threads, async (workers) => {
      const run = runnerOf(workers);
      const stop = new AbortController();
      const onDone = () => stop.abort(new Error("enough"));
      const options = { signal: stop.signal, onDone };
      await assert.rejects(run("quantize", tasks, options), /enough/);
      await assert.rejects(run("quantize", tasks, options), /enough/);
    });
  }
});
