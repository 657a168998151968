import { workerScope } from "./web_worker.ts";
import type { WorkerReply, WorkerRequest } from "./worker_pool.ts";

/**
 * The worker's side of a `WorkerPool`: `start` prepares the worker and returns what runs a job. Memory
 * that `transferOf` picks from a result is handed over instead of copied, and gone here.
 */
export function serveJobs<Setup, Job, Result>(
  start: (setup: Setup) => Promise<(job: Job, index: number) => Promise<Result>>,
  transferOf: (result: Result) => Transferable[] = () => [],
): void {
  const scope = workerScope();
  let run: ((job: Job, index: number) => Promise<Result>) | undefined;
  const handle = async (request: WorkerRequest<Setup, Job>): Promise<WorkerReply<Result>> => {
    try {
      if (request.kind === "setup") {
        run = await start(request.setup);
        return { kind: "ready" };
      }
      const { index, job } = request;
      if (run === undefined) throw new Error("a job came before the setup");
      return { kind: "result", index, result: await run(job, index) };
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      return { kind: "failure", name, message };
    }
  };
  scope.onmessage = ({ data }) => {
    scope.postMessage({ kind: "received" }, []);
    handle(data as WorkerRequest<Setup, Job>).then((reply) =>
      scope.postMessage(reply, reply.kind === "result" ? transferOf(reply.result) : [])
    );
  };
}
