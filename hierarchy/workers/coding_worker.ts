import { codingTasks, type TaskKind } from "./coding_tasks.ts";
import type { TaskReply, TaskRequest } from "./worker_pool.ts";

/** What a worker sees of its surroundings. */
interface WorkerScope {
  onmessage: ((event: { data: TaskRequest }) => void) | null;
  postMessage(reply: TaskReply): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => scope.postMessage(answer(data));

function answer<Kind extends TaskKind>({ index, kind, task }: TaskRequest<Kind>): TaskReply<Kind> {
  try {
    return { index, result: codingTasks[kind](task) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
