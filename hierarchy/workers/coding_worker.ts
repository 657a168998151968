import { serveJobs } from "../../workers/serve_jobs.ts";
import { collectGarbage } from "../../data/collect_garbage.ts";
import {
  type CodingJob,
  runTask,
  type TaskArguments,
  type TaskKind,
  type TaskResults,
  taskSizes,
} from "./coding_tasks.ts";

/** Values of a task that leaves much behind. */
const LARGE_TASK = 2 ** 19;

serveJobs<undefined, CodingJob, TaskResults[TaskKind]>(() =>
  Promise.resolve((job) => Promise.resolve(job).then(run))
);

function run<Kind extends TaskKind>(
  job: { readonly kind: Kind; readonly task: TaskArguments[Kind] },
): TaskResults[Kind] {
  const result = runTask(job);
  if (taskSizes[job.kind](job.task) >= LARGE_TASK) collectGarbage();
  return result;
}
