import { connectRedis, environmentOptions } from "../../distributed/redis_link.ts";
import { DistributedTasks } from "../../distributed/distributed_tasks.ts";
import { openSharedStore } from "../../distributed/shared_store.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import type { Run } from "../terminal/run.ts";
import type { KeptWork } from "./kept_work.ts";

/** The machines that a run of `compress` is spread over. */
export interface Spread extends AsyncDisposable {
  /** Has coding tasks run there. */
  readonly tasksThrough: TasksThrough;
}

/** Connects to the server of `--redis`; gives nothing where none is named. */
export async function openSpread(
  { redis, store }: Pick<CompressOptions, "redis" | "store">,
  run: Run,
): Promise<Spread | undefined> {
  if (redis === undefined) return undefined;
  const { environment, program } = run;
  const onMessage = (line: string) => run.writeLine(line);
  const link = await connectRedis(redis, { ...environmentOptions(environment), onMessage });
  try {
    const shared = await openSharedStore(store, link, environment.KANPRESS_STORE_TOKEN);
    const tasks = await DistributedTasks.open({ link, shared, program, onMessage });
    const close = async () => {
      await tasks.close();
      link.close();
    };
    run.beforeInterrupt(close);
    return { tasksThrough: () => tasks.run, [Symbol.asyncDispose]: close };
  } catch (error) {
    link.close();
    throw error;
  }
}

/** Has coding tasks run on other machines, if any, and takes what is kept already from there. */
export function tasksBeyond(
  { spread, work }: { readonly spread: Spread | undefined; readonly work: KeptWork | undefined },
): TasksThrough {
  return (here) => {
    const tasks = spread?.tasksThrough(here) ?? here;
    return work?.tasksThrough(tasks) ?? tasks;
  };
}
