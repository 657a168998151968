import { CODING_VERSION } from "../hierarchy/workers/coding_tasks.ts";
import { type Participant, participants } from "./presence.ts";
import type { RedisLink } from "./redis_link.ts";
import type { SharedStore } from "./shared_store.ts";

/** What is watched, and who hears of it. */
export interface WorkerWatchOptions {
  /** The server. */
  readonly link: RedisLink;
  /** The run's store. */
  readonly shared: SharedStore;
  /** How the user calls the command line; `kanpress` if omitted. */
  readonly program?: string;
  /** Told in a line what has changed. */
  readonly onMessage?: (line: string) => void;
}

/** Tells which workers a run has, as they come and go, and why others cannot help. */
export class WorkerWatch {
  readonly #options: WorkerWatchOptions;
  #told = "";

  /** Watches from the first look on. */
  constructor(options: WorkerWatchOptions) {
    this.#options = options;
  }

  /** Looks who is there; `need` is the memory of the largest task that is being waited for. */
  async look(need: number = 0): Promise<void> {
    const { link, shared, program = "kanpress", onMessage } = this.#options;
    const workers = await participants(link, "worker");
    const command = `${program} worker --redis ${link.address}`;
    const line = workersLine(workers, shared.label, need, command);
    if (line !== this.#told) onMessage?.(line);
    this.#told = line;
  }
}

/** A line about workers, from the view of a run whose store has a label; `command` starts one. */
export function workersLine(
  workers: readonly Participant[],
  label: string,
  need: number,
  command: string,
): string {
  const sameVersion = workers.filter(({ version }) => version === CODING_VERSION);
  const able = sameVersion.filter(({ store }) => store === label);
  const threads = able.reduce((sum, worker) => sum + worker.threads, 0);
  const parts = [
    able.length === 0
      ? `waiting for workers: ${command}`
      : `${counted(able.length, "worker")} with ${counted(threads, "thread")}`,
  ];
  const others = workers.length - sameVersion.length;
  if (others > 0) {
    parts.push(`${counted(others, "worker")} of another version: use the same kanpress on all`);
  }
  const elsewhere = sameVersion.length - able.length;
  if (elsewhere > 0) {
    parts.push(`${counted(elsewhere, "worker")} with another store: give all the same --store`);
  }
  const most = able.reduce((most, { memory }) => Math.max(most, memory), 0);
  if (able.length > 0 && need > most) {
    const mebibytes = Math.ceil(need / 2 ** 20);
    parts.push(`none has the room that a matrix needs: start one with --memory ${mebibytes}MiB`);
  }
  return parts.join("; ");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
