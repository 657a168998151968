/**
 * How long do several machines take to code a large model? Measures what the steps cost on one core,
 * by value and, for error feedback, by rows; then schedules those of Llama-3.1-8B and 70B on 1, 8 and
 * 64 machines of 8 cores, the largest first, and prints hours of calibrating, by what the forecast
 * knows of it, and of coding, gigabytes that pass between
 * machines and store, what the store holds and the memory of the largest task.
 *
 *     deno run --allow-all bench/schedule.ts
 *     deno run --allow-all bench/schedule.ts --check     # the schedule beside three real workers
 *
 * `--check` needs redis-server. It has three workers code matrices of several sizes, and schedules the
 * times that they measured themselves: the rest of the difference is the queue's.
 */
import { cpuUsage } from "node:process";
import { CALIBRATION, FACTORING } from "../cli/forecast/step_costs.ts";
import { DistributedTasks } from "../distributed/distributed_tasks.ts";
import { connectRedis } from "../distributed/redis_link.ts";
import { serveTasks } from "../distributed/serve_tasks.ts";
import { openSharedStore } from "../distributed/shared_store.ts";
import { needsRedis, RedisServer } from "../distributed/testdata/redis_server.ts";
import { createTrellisLevel } from "../hierarchy/levels/trellis_level.ts";
import type { Matrix } from "../hierarchy/matrix/matrix.ts";
import type { QuantizeTask, TaskKind } from "../hierarchy/workers/coding_tasks.ts";
import { CodingWorkers } from "../hierarchy/workers/coding_workers.ts";
import type { RunTasks } from "../hierarchy/workers/task_runner.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { endFor, readOptions } from "./support/command_line.ts";
import { listSchedule } from "./support/list_schedule.ts";

/** [rows, columns] of a layer's matrices, how many layers, and those beside them. */
const MODELS = {
  "Llama-3.1-8B": {
    layers: 32,
    layer: [[4096, 4096], [4096, 1024], [4096, 1024], [4096, 4096], ...gated(4096, 14336)],
    others: [[128256, 4096], [4096, 128256]],
  },
  "Llama-3.1-70B": {
    layers: 80,
    layer: [[8192, 8192], [8192, 1024], [8192, 1024], [8192, 8192], ...gated(8192, 28672)],
    others: [[128256, 8192], [8192, 128256]],
  },
} as const;
const MACHINES = [1, 8, 64], CORES = 8;
/** Tokens of calibration, states with the effort fast, and trials: a draft, and one that counts. */
const TOKENS = 32_768, STATES = 8, TRIALS = 2;
/** Squared steps that a bit is worth, and runs of which the fastest counts. */
const RATE_WEIGHT = 0.1, RUNS = 3;
/** Passes of quantizing and of refining that are sent in a trial. */
const PASSES = 2;
/** Bytes of a value as it is stored, of an index, and of a value's code. */
const STORED = 2, INDEX = 1, CODE = 3 / 8;
/** Bytes that working on a value takes beside what is sent. */
const WORKING = 16;

function gated(inputs: number, inner: number): [number, number][] {
  return [[inputs, inner], [inputs, inner], [inner, inputs]];
}

function randomTask(rows: number, columns: number, states = STATES): QuantizeTask {
  const random = createRandom(rows + columns);
  const data = Float32Array.from({ length: rows * columns }, () => 3 * random.normal());
  const feedback = Float32Array.from(
    { length: rows * (rows - 1) / 2 },
    () => 0.3 * random.normal() / Math.sqrt(rows),
  );
  const metric = {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback,
  };
  return { states, matrix: { name: `${rows} x ${columns}`, rows, columns, data, metric } };
}

interface Costs {
  /** Nanoseconds of a core for each value and trial: quantizing, all passes. */
  readonly quantize: number;
  /** And for each value and row, of error feedback. */
  readonly feedback: number;
  /** Counting and refining scales. */
  readonly refine: number;
  /** Coding. */
  readonly encode: number;
}

/** Nanoseconds of each kind of task for each value of a matrix that a level codes. */
async function measureTrial(rows: number, columns: number): Promise<Record<TaskKind, number>> {
  const { matrix } = randomTask(rows, columns);
  const spent = { quantize: Infinity, refine: Infinity, encode: Infinity };
  for (let i = 0; i < RUNS; i++) {
    const seconds = { quantize: 0, refine: 0, encode: 0 };
    const timed = (run: RunTasks): RunTasks => async (kind, tasks, options) => {
      const begin = cpuUsage();
      const results = await run(kind, tasks, options);
      const { user, system } = cpuUsage(begin);
      seconds[kind] += (user + system) / 1e6;
      return results;
    };
    const workers = new CodingWorkers(1, false, timed);
    const level = createTrellisLevel({ states: STATES, rateWeight: RATE_WEIGHT });
    await level.encode([matrix as Matrix], { seed: 0, workers });
    for (const kind of ["quantize", "refine", "encode"] as const) {
      spent[kind] = Math.min(spent[kind], 1e9 * seconds[kind] / (rows * columns));
    }
  }
  return spent;
}

async function measureCosts(): Promise<Costs> {
  const few = 256, many = 1536;
  const [low, high] = [await measureTrial(few, 1024), await measureTrial(many, 1024)];
  const feedback = Math.max(0, (high.quantize - low.quantize) / (many - few));
  const { refine, encode } = high;
  return { quantize: low.quantize - few * feedback, feedback, refine, encode };
}

/** Hours that calibrating and factoring take, which one machine does with all cores. */
function hoursBefore(shapes: readonly (readonly [number, number])[], values: number): number {
  const cubes = shapes.reduce((sum, [rows]) => sum + feedbackRows(rows) ** 3, 0);
  return (TOKENS * values * CALIBRATION.native + cubes * FACTORING) / 1e9 / CORES / 3600;
}

/** Embeddings are looked up, not multiplied by: no feedback between their rows. */
function feedbackRows(rows: number): number {
  return rows > 100_000 ? 0 : rows;
}

function printModels(costs: Costs): void {
  console.log(
    "model           machines  calibrating h  coding h   sent GB  stored GB  largest task GB",
  );
  for (const [name, { layers, layer, others }] of Object.entries(MODELS)) {
    const shapes = [...Array.from({ length: layers }, () => layer).flat(), ...others];
    const values = shapes.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
    const quantize = shapes.map(([rows, columns]) =>
      rows * columns * (costs.quantize + costs.feedback * feedbackRows(rows)) / 1e9
    ).sort((a, b) => b - a);
    const refine = shapes.map(([rows, columns]) => rows * columns * costs.refine / 1e9)
      .sort((a, b) => b - a);
    const metricBytes = shapes.reduce((sum, [rows]) => sum + 2 * feedbackRows(rows) ** 2, 0);
    const passes = PASSES * (values * (STORED + INDEX + 2 * INDEX) + metricBytes);
    const sent = TRIALS * (passes + values * (INDEX + CODE));
    const stored = values * STORED + metricBytes + values * (INDEX + 2 * CODE);
    const largest = shapes.reduce((most, [rows, columns]) =>
      Math.max(
        most,
        rows * columns * (3 * STORED + WORKING) + 6 * feedbackRows(rows) ** 2,
      ), 0);
    for (const machines of MACHINES) {
      const workers = machines * CORES;
      const encode = values * costs.encode / 1e9 / workers;
      const trial = listSchedule(quantize, workers) + listSchedule(refine, workers) + encode;
      const cells = [
        ...[machines.toString(), hoursBefore(shapes, values).toFixed(2)],
        ...[(TRIALS * trial / 3600).toFixed(2), (sent / 1e9).toFixed(0)],
        ...[(stored / 1e9).toFixed(0), (largest / 1e9).toFixed(1)],
      ];
      const widths = [9, 15, 10, 10, 11, 17];
      console.log(name.padEnd(15) + cells.map((cell, i) => cell.padStart(widths[i]!)).join(""));
    }
  }
}

async function check(): Promise<void> {
  if (needsRedis.ignore) endFor("--check needs redis-server; install it");
  await using server = new RedisServer();
  await server.start();
  const open = async () => {
    const link = await connectRedis(server.address);
    return { link, shared: await openSharedStore(undefined, link) };
  };
  const seconds: number[] = [];
  const workers = await Promise.all([1, 2, 3].map(async () => {
    const sides = await open();
    const onTask = (_: unknown, spent: number) => void seconds.push(spent);
    return {
      ...sides,
      server: await serveTasks({ ...sides, threads: 1, memory: 2 ** 32, onTask }),
    };
  }));
  const run = await open();
  const tasks = await DistributedTasks.open(run);
  const sizes = Array.from({ length: 24 }, (_, i) => 160 + 24 * i);
  await tasks.run("quantize", [1, 2, 3].map((i) => randomTask(32 + i, 32)));
  seconds.length = 0;
  const matrices = sizes.map((size) => randomTask(size, size, 64));
  const begin = performance.now();
  await tasks.run("quantize", matrices);
  const real = (performance.now() - begin) / 1000;
  const scheduled = listSchedule([...seconds].sort((a, b) => b - a), workers.length);
  await tasks.close();
  for (const worker of workers) {
    await worker.server.close();
    worker.link.close();
  }
  run.link.close();
  const difference = 100 * (scheduled / real - 1);
  console.log(
    `${matrices.length} tasks on 3 workers: ${real.toFixed(2)} s, scheduled ` +
      `${scheduled.toFixed(2)} s (${difference.toFixed(0)} %)`,
  );
  if (Math.abs(difference) > 20) Deno.exitCode = 1;
}

const options = readOptions({ check: { type: "boolean", default: false } });
if (options.check) await check();
else {
  const costs = await measureCosts();
  const shown = Object.entries(costs).map(([name, cost]) => `${name} ${cost.toPrecision(3)}`);
  console.log(`ns of a core for each value: ${shown.join(", ")} (feedback: and row)`);
  printModels(costs);
}
