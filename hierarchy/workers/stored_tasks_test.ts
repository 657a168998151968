import assert from "node:assert";
import { sha256, sha256OfJson } from "../../data/sha256.ts";
import { createMemoryStore } from "../../store/memory_store.ts";
import type { Store } from "../../store/store.ts";
import { createFieldLevel } from "../levels/field_level.ts";
import { createTrellisLevel } from "../levels/trellis_level.ts";
import { heldMatrix } from "../matrix/held_matrix.ts";
import type { Matrix } from "../matrix/matrix.ts";
import { codingTasks, type QuantizeTask, type TaskKind } from "./coding_tasks.ts";
import { CodingWorkers } from "./coding_workers.ts";
import { getTask, putTask, TaskPacker } from "./packed_tasks.ts";
import { storedTasks } from "./stored_tasks.ts";
import { type RunTasks, runTasksHere } from "./task_runner.ts";
import { randomMatrices } from "../testdata/random_matrices.ts";

/** Matrices of every make: with a metric or not, held or in memory, one with large arrays. */
function someMatrices(): Matrix[] {
  return randomMatrices([[40, 30], [5, 700], [400, 400], [33, 2]]).map((matrix, i) => {
    const { data, ...shape } = matrix;
    return i === 0 ? matrix : heldMatrix(shape, { stored: data, transposed: i === 3 });
  });
}

async function encode(through?: (run: RunTasks) => RunTasks, threads = 1) {
  const workers = new CodingWorkers(threads, false, through);
  try {
    const context = { seed: 0, workers };
    const { output } = await createFieldLevel({ step: 0.4 }).encode(someMatrices(), context);
    const level = createTrellisLevel({ states: 4, rateWeight: 0.1 });
    return (await level.encode(output, context)).encoded;
  } finally {
    workers.close();
  }
}

/** Counts the tasks that are run. */
function counting(run: RunTasks, count: { tasks: number }): RunTasks {
  return (kind, tasks, options) => {
    count.tasks += tasks.length;
    return run(kind, tasks, options);
  };
}

function watched(): { store: Store; names: string[] } {
  const store = createMemoryStore(), names: string[] = [];
  return {
    names,
    store: {
      ...store,
      put(name, bytes) {
        names.push(name);
        return store.put(name, bytes);
      },
    },
  };
}

Deno.test("a store gives the same bytes, and the second time runs nothing", async () => {
  const expected = await encode();
  for (const threads of [1, 2]) {
    const { store, names } = watched();
    const counts = [{ tasks: 0 }, { tasks: 0 }, { tasks: 0 }];
    const found = new Map<TaskKind, number>();
    const onFound = (kind: TaskKind, count: number) => found.set(kind, count);
    const through = (i: number) => (run: RunTasks) =>
      storedTasks(counting(run, counts[i]!), store, { onFound });
    assert.deepEqual(await encode(through(0), threads), expected);
    assert.ok(counts[0]!.tasks > 10);
    assert.deepEqual(Object.fromEntries(found), { quantize: 0, refine: 0, encode: 0 });
    const results = names.filter((name) => !name.startsWith("users-"));
    assert.equal(new Set(results).size, results.length, "each entry is put once");
    assert.deepEqual(await encode(through(1), threads), expected);
    assert.equal(counts[1]!.tasks, 0);
    assert.equal(found.get("quantize"), 4);
    // A code stream that is lost is made again, and the pass that gave it.
    await store.remove(names.find((name) => name.startsWith("encode-"))!);
    assert.deepEqual(await encode(through(2), threads), expected);
    assert.ok(counts[2]!.tasks >= 2 && counts[2]!.tasks < counts[0]!.tasks);
  }
});

Deno.test("a result without its large array is made again", async () => {
  const { store, names } = watched(), count = { tasks: 0 };
  const tasks: QuantizeTask[] = someMatrices().map((matrix) => ({ states: 4, matrix }));
  const run = storedTasks(counting(runTasksHere, count), store);
  const results = await run("quantize", tasks);
  await store.remove(names.find((name) => name.startsWith("blob-"))!);
  assert.deepEqual(await run("quantize", tasks), results);
  assert.equal(count.tasks, tasks.length + 1);
});

Deno.test("what tasks give is what this version gives: raise CODING_VERSION where it changes", async () => {
  const { store, names } = watched();
  await encode((run) => storedTasks(run, store));
  const entries: [string, string][] = [];
  for (const name of names.filter((name) => !name.startsWith("users-")).sort()) {
    const bytes = await store.get(name);
    if (bytes !== undefined) entries.push([name, await sha256(bytes)]);
  }
  assert.equal(await sha256OfJson(entries), "J0Q6V5peWLxzAQkZOwI3/FBgSp8I+lfPrmlpad5s220=");
});

Deno.test("results are kept as they come, also of a run that fails", async () => {
  const { store, names } = watched();
  const tasks: QuantizeTask[] = someMatrices().map((matrix) => ({ states: 4, matrix }));
  const run = storedTasks(runTasksHere, store);
  await assert.rejects(run("quantize", [...tasks, { ...tasks[0]!, states: 5 }]), /not 5/);
  assert.equal(names.filter((name) => name.startsWith("quantize-")).length, 4);
  const done: number[] = [];
  await run("quantize", tasks, { onDone: (count) => done.push(count) });
  assert.deepEqual(done, [1, 2, 3, 4]);
});

Deno.test("an error of the store ends the run, and so does a signal", async () => {
  const tasks: QuantizeTask[] = someMatrices().map((matrix) => ({ states: 4, matrix }));
  const full = { ...createMemoryStore(), put: () => Promise.reject(new Error("disk full")) };
  await assert.rejects(storedTasks(runTasksHere, full)("quantize", tasks), /disk full/);
  const stop = new AbortController();
  const run = storedTasks(runTasksHere, createMemoryStore());
  const onDone = () => stop.abort(new Error("enough"));
  await assert.rejects(run("quantize", tasks, { signal: stop.signal, onDone }), /enough/);
});

Deno.test("a task that is kept gives the same result elsewhere; another content is another key", async () => {
  const store = createMemoryStore(), packer = new TaskPacker();
  const keys = new Set<string>();
  for (const matrix of someMatrices()) {
    const task: QuantizeTask = { states: 8, matrix };
    const packed = await packer.pack("quantize", task);
    await putTask(store, packed);
    const taken = await getTask(store, packed.key);
    assert.ok(taken?.kind === "quantize");
    assert.deepEqual(codingTasks.quantize(taken.task), codingTasks.quantize(task));
    const indices = new Int8Array(matrix.rows * matrix.columns);
    assert.equal((await packer.pack("quantize", { ...task, indices })).key, packed.key);
    keys.add(packed.key);
    keys.add((await packer.pack("quantize", { ...task, states: 4 })).key);
    const changed = Float32Array.from(matrix.data);
    changed[0]! += 1;
    const other = { name: matrix.name, rows: matrix.rows, columns: matrix.columns, data: changed };
    keys.add((await packer.pack("quantize", { ...task, matrix: other })).key);
  }
  assert.equal(keys.size, 12);
  assert.equal(await getTask(store, "0".repeat(64)), undefined);
});
