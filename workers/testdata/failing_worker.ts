import { InputError } from "../../data/input_error.ts";
import { serveJobs } from "../serve_jobs.ts";

/** Multiplies numbers, and fails in the ways that a job asks for. */
serveJobs<number, number | "input" | "throw" | "crash" | "memory" | "endless", number>((factor) => {
  if (factor === 0) return Promise.reject(new Error("no setup"));
  return Promise.resolve((job) => {
    if (job === "input") return Promise.reject(new InputError("bad tensor"));
    if (job === "throw") return Promise.reject(new RangeError("bad index"));
    if (job === "memory") return Promise.resolve(new Uint8Array(2 ** 50).length);
    if (job === "endless") return new Promise(() => {});
    if (job !== "crash") return Promise.resolve(factor * job);
    setTimeout(() => {
      throw new Error("crashed");
    });
    return new Promise(() => {});
  });
});
