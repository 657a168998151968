import type { JobsOptions } from "bullmq";
import { InputError } from "../data/input_error.ts";
import {
  CODING_VERSION,
  codingTasks,
  type TaskArguments,
  type TaskKind,
  taskSizes,
} from "../hierarchy/workers/coding_tasks.ts";
import type { PackedTask } from "../hierarchy/workers/packed_tasks.ts";
import { byteLengthOf } from "../data/file_array.ts";

/** What a job in a queue says: where its task is kept. The task itself is in the store. */
export interface CodingJob {
  /** Kind of the task. */
  readonly kind: TaskKind;
  /** Its key, 64 hexadecimal digits. */
  readonly key: string;
  /** The run of `compress` that wants it. */
  readonly run: string;
}

/** What the job of a group says, which ends when all tasks of the group have. */
export interface GroupJob {
  /** The run of `compress` that wants it. */
  readonly run: string;
  /** Entries of the store that must be there then. */
  readonly results: readonly string[];
}

/** Memory that tasks are divided by, in bytes: a worker takes those for which it has room. */
export const MEMORY_CLASSES: readonly number[] = [26, 28, 30, 32, 34, 36, 38].map((power) =>
  2 ** power
);

/** How often a task is tried, and the first pause between tries in milliseconds, which doubles. */
export const TRIES = { attempts: 4, backoff: { type: "exponential", delay: 500 } } as const;

/** Another worker has a task again this many milliseconds after its own was last heard of. */
export const LOCK = 10_000;

/** Arrays of a task are in memory this many times: packed, received, and being worked on. */
const COPIES = 3;
/** Bytes for each value that quantizing and counting work with. */
const BYTES_PER_VALUE = 16;

/** Bytes of memory that a task needs, about. */
export function memoryNeed<Kind extends TaskKind>(
  kind: Kind,
  task: TaskArguments[Kind],
  packed: PackedTask,
): number {
  let bytes = packed.bytes.length;
  for (const blob of packed.blobs.values()) bytes += byteLengthOf(blob);
  return COPIES * bytes + BYTES_PER_VALUE * taskSizes[kind](task);
}

/** The smallest class that has room for so many bytes. Throws {@linkcode InputError} if none has. */
export function memoryClass(bytes: number): number {
  const found = MEMORY_CLASSES.find((room) => bytes <= room);
  if (found !== undefined) return found;
  throw new InputError("a matrix is too large to be coded on other machines; leave --redis out");
}

/** The queue of the tasks of a class whose data is in a store; each version has its own. */
export function queueName(label: string, room: number): string {
  return `coding-${CODING_VERSION}-${label}-${room / 2 ** 20}MiB`;
}

/** The queue of groups of tasks whose data is in a store; each version has its own. */
export function groupQueueName(label: string): string {
  return `groups-${CODING_VERSION}-${label}`;
}

/** How a job is tried, and when it goes. */
export function jobOptions(jobId: string): JobsOptions {
  return {
    ...TRIES,
    jobId,
    removeOnComplete: true,
    // Until the run has read why; of a run that is gone, a day.
    removeOnFail: { age: 86_400, count: 1000 },
  };
}

/** Checks what the job of a group says, which comes from elsewhere. Throws {@linkcode InputError}. */
export function parseGroupJob(data: unknown): GroupJob {
  const { run, results } = (typeof data === "object" && data || {}) as Record<string, unknown>;
  const isSound = isRun(run) && Array.isArray(results) &&
    results.every((name) => typeof name === "string" && /^[a-z]+-[\da-f]{64}$/.test(name));
  if (!isSound) throw new InputError("the job is none of kanpress");
  return { run, results };
}

/** Checks what a job says, which comes from elsewhere. Throws {@linkcode InputError}. */
export function parseCodingJob(data: unknown): CodingJob {
  const { kind, key, run } = (typeof data === "object" && data || {}) as Record<string, unknown>;
  const isSound = typeof kind === "string" && Object.hasOwn(codingTasks, kind) &&
    typeof key === "string" && /^[\da-f]{64}$/.test(key) &&
    isRun(run);
  if (!isSound) throw new InputError("the job is none of kanpress");
  return { kind: kind as TaskKind, key, run };
}

function isRun(run: unknown): run is string {
  return typeof run === "string" && /^[\da-f-]{36}$/.test(run);
}
