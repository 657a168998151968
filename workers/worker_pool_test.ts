import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { OutOfMemoryError } from "../data/out_of_memory.ts";
import { type PoolWorker, Worker } from "./web_worker.ts";
import { runInWorkers, WorkerPool, type WorkerReply, type WorkerRequest } from "./worker_pool.ts";

const at = (module: URL) => () => new Worker(module, { type: "module" });
const start = at(new URL("./testdata/failing_worker.ts", import.meta.url));

Deno.test("results come in the order of the jobs, whatever the number of workers", async () => {
  const jobs = Array.from({ length: 40 }, (_, i) => i);
  for (const threads of [1, 3, 100]) {
    const results = await runInWorkers({ start, threads, setup: 2, jobs: jobs.slice(0, 5) });
    assert.deepEqual(results, [0, 2, 4, 6, 8]);
  }
  const seen = new Set<number>();
  const onResult = (result: number, index: number) => {
    assert.equal(result, 3 * index);
    seen.add(index);
  };
  await runInWorkers({ start, threads: 2, setup: 3, jobs, onResult });
  assert.equal(seen.size, 40);
  assert.deepEqual(await runInWorkers({ start, threads: 2, setup: 3, jobs: [] }), []);
});

Deno.test("every failure of a worker rejects", async () => {
  const run = (setup: number, ...jobs: unknown[]) =>
    runInWorkers({ start, threads: 2, setup, jobs });
  await assert.rejects(
    run(1, 1, "input", 2),
    (error) => error instanceof InputError && error.message === "bad tensor",
  );
  await assert.rejects(
    run(1, 1, "memory", 2),
    (error) => error instanceof InputError && /memory has run out/.test(error.message),
  );
  await assert.rejects(run(1, 1, "throw", 2), /a worker failed: bad index/);
  await assert.rejects(run(1, 1, "crash", 2), /a worker stopped: .*crashed/);
  await assert.rejects(run(0, 1), /a worker failed: no setup/);
  const broken = new URL("data:text/javascript,throw new Error('broken')");
  await assert.rejects(
    runInWorkers({ start: at(broken), threads: 1, setup: 1, jobs: [1] }),
    /a worker stopped: .*broken/,
  );
});

Deno.test("an error of onResult rejects, and so does an abort while a job hangs", async () => {
  const fail = () => {
    throw new Error("not wanted");
  };
  await assert.rejects(
    runInWorkers({ start, threads: 1, setup: 1, jobs: [1], onResult: fail }),
    /not wanted/,
  );
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("enough")), 20);
  await assert.rejects(
    runInWorkers({
      start: at(new URL("data:text/javascript,onmessage = () => {}")),
      threads: 1,
      setup: 1,
      jobs: [1],
      signal: controller.signal,
    }),
    /enough/,
  );
});

Deno.test("a pool keeps its workers, begins jobs in an order and goes on after a failure", async () => {
  const pool = new WorkerPool<number, number | "throw", number>({ start, threads: 1, setup: 5 });
  try {
    const ended: number[] = [];
    const onResult = (_: number, index: number) => ended.push(index);
    assert.deepEqual(await pool.run([1, 2, 3], { order: [2, 0, 1], onResult }), [5, 10, 15]);
    assert.deepEqual(ended, [2, 0, 1]);
    assert.deepEqual(await pool.run([4]), [20]);
    await assert.rejects(pool.run([1, "throw"]), /bad index/);
    assert.deepEqual(await pool.run([6]), [30]);
  } finally {
    pool.close();
  }
});

Deno.test("a pool that is used again gives no job to a worker that still starts", async () => {
  const source = (delay: number) =>
    `let ready = false;
    onmessage = ({ data: { kind, index, job } }) => {
      if (kind === "setup") setTimeout(() => { ready = true; postMessage({ kind: "ready" }); }, ${delay});
      else postMessage(ready ? { kind: "result", index, result: job } : { kind: "failure" });
    };`;
  const delays = [0, 200];
  const starting = () => at(new URL(`data:text/javascript,${source(delays.shift()!)}`))();
  const pool = new WorkerPool<number, number, number>({ start: starting, threads: 2, setup: 1 });
  assert.deepEqual(await pool.run([1, 2]), [1, 2]);
  assert.deepEqual(await pool.run([3, 4]), [3, 4]);
  pool.close();
});

type Request = WorkerRequest<number, number>;

/** A worker in this thread: what it says at once comes before any timer. */
function nearWorker(
  answer: (request: Request, say: (reply: WorkerReply<number>) => void) => void,
): PoolWorker {
  const worker: PoolWorker = {
    onmessage: null,
    onerror: null,
    onmessageerror: null,
    postMessage: (request) =>
      queueMicrotask(() => answer(request as Request, (data) => worker.onmessage?.({ data }))),
    terminate() {},
  };
  return worker;
}

Deno.test("a job that a worker does not receive is lost for lack of memory", async () => {
  let jobs = 0;
  const starting = () =>
    nearWorker((request, say) => {
      if (request.kind === "setup") say({ kind: "ready" });
      else if (jobs++ === 0) say({ kind: "result", index: request.index, result: 7 });
    });
  const pool = new WorkerPool<number, number, number>({
    ...{ start: starting, threads: 1, setup: 1, longestReceipt: 20 },
  });
  assert.deepEqual(await pool.run([1]), [7]);
  await assert.rejects(pool.run([1, 2]), OutOfMemoryError);
  pool.close();
});

Deno.test("a job may take longer than its receipt", async () => {
  const starting = () =>
    nearWorker((request, say) => {
      say({ kind: "received" });
      if (request.kind === "setup") say({ kind: "ready" });
      else setTimeout(say, 100, { kind: "result", index: request.index, result: 3 });
    });
  const how = { start: starting, threads: 1, setup: 3, longestReceipt: 5 };
  assert.deepEqual(await runInWorkers({ ...how, jobs: [1] }), [3]);
});

Deno.test("a worker says that it has a job before it does it", async () => {
  const worker = start();
  const next = () =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve((data as WorkerReply<number>).kind);
    });
  worker.postMessage({ kind: "setup", setup: 3 });
  assert.equal(await next(), "received");
  assert.equal(await next(), "ready");
  worker.postMessage({ kind: "job", index: 0, job: "endless" });
  assert.equal(await next(), "received");
  worker.terminate();
});

Deno.test("a job that cannot be sent rejects", async () => {
  await assert.rejects(
    runInWorkers({ start, threads: 1, setup: 3, jobs: [() => {}] }),
    /could not be cloned|cannot be cloned/,
  );
});
