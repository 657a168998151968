import { serveJobs } from "../../workers/serve_jobs.ts";
import { type CodingJob, runTask, type TaskKind, type TaskResults } from "./coding_tasks.ts";

serveJobs<undefined, CodingJob, TaskResults[TaskKind]>(() =>
  Promise.resolve((job) => Promise.resolve(job).then(runTask))
);
