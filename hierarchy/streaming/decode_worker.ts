import { serveJobs } from "../../workers/serve_jobs.ts";
import type { NamedTensor } from "../file/decode_groups.ts";
import { createGroupDecoder, type GroupDecoderSetup, type GroupJob } from "./group_decoder.ts";

serveJobs<GroupDecoderSetup, GroupJob, NamedTensor[]>(
  (setup) => {
    const decode = createGroupDecoder(setup);
    return Promise.resolve((job) => decode(job));
  },
  (tensors) => tensors.map(([, { data }]) => data.buffer as ArrayBuffer),
);
