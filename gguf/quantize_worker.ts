import { serveJobs } from "../workers/serve_jobs.ts";
import { quantizeRows } from "./quantize_rows.ts";
import type { QuantizeJob } from "./quantize_workers.ts";

serveJobs<undefined, QuantizeJob, Uint8Array>(
  () => Promise.resolve(({ type, values }) => Promise.resolve(quantizeRows(type, values))),
  (bytes) => [bytes.buffer as ArrayBuffer],
);
