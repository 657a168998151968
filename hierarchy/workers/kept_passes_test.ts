import assert from "node:assert";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { QuantizeTask } from "./coding_tasks.ts";
import { storedTasks } from "./stored_tasks.ts";
import { runTasksHere } from "./task_runner.ts";

Deno.test("a pass over a matrix of many rows is found again", async () => {
  const rows = 40_000, columns = 2;
  const data = Float32Array.from({ length: rows * columns }, (_, i) => 3 * Math.sin(i * i));
  const tasks: QuantizeTask[] = [{ states: 1, matrix: { name: "w", rows, columns, data } }];
  const run = storedTasks(runTasksHere, createMemoryStore()), passes = run.passes!;
  const name = await passes.begin({ tasks, isCoded: false });
  assert.equal(await passes.find(name), undefined);
  await passes.enter(name);
  const scales = (await run("quantize", tasks)).map(({ scales }) => scales);
  const model = { quantizers: 1 as const, coefficients: new Int32Array(3) };
  await passes.keep(name, { model, scales });
  const found = await passes.find(name);
  assert.deepEqual([found?.model, found?.scales], [model, scales]);
});
