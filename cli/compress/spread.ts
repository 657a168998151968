import { resolve } from "node:path";
import { shownUrl } from "../../data/shown_url.ts";
import { connectRedis, environmentOptions } from "../../distributed/redis_link.ts";
import { DistributedTasks } from "../../distributed/distributed_tasks.ts";
import { InputError } from "../../data/input_error.ts";
import { openSharedStore } from "../../distributed/shared_store.ts";
import type { TasksThrough } from "../../hierarchy/workers/task_runner.ts";
import type { CompressOptions } from "../options/compress_options.ts";
import type { Run } from "../terminal/run.ts";
import type { KeptWork } from "./kept_work.ts";

/** The machines that a run of `compress` is spread over. */
export interface Spread extends AsyncDisposable {
  /** Has coding tasks run there. */
  readonly tasksThrough: TasksThrough;
  /** Has coding tasks run there, and what they come to kept there. */
  readonly tasksKept: TasksThrough;
  /** To be called when nothing of what was sent is needed any more. */
  finish(): Promise<void>;
}

/**
 * Connects to the server of `--redis`; gives nothing where none is named. Throws {@linkcode InputError}
 * that names it where it cannot be used, or where the store is the work folder.
 */
export async function openSpread(
  { redis, store, work }: Pick<CompressOptions, "redis" | "store" | "work">,
  run: Run,
): Promise<Spread | undefined> {
  if (redis === undefined) return undefined;
  if (store !== undefined && work !== undefined && resolve(store) === resolve(work)) {
    throw new InputError(
      `${store}: what is sent to other machines is removed when it has been kept as work; name ` +
        "another folder, or leave --work out: the same command goes on from its store",
    );
  }
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
    return {
      tasksThrough: () => tasks.run,
      tasksKept: () => tasks.runKept(),
      async finish() {
        try {
          const left = await tasks.finish();
          if (left === 0 || store === undefined) return;
          onMessage(
            `${
              shownUrl(store)
            }: keeps ${left} large arrays of the model for another run of it, which ` +
              "removes them when it ends; if there is none, the next one does",
          );
        } catch (error) {
          // The model is written: what cannot be removed is only in the way.
          if (!(error instanceof InputError)) throw error;
          onMessage(error.message);
        }
      },
      [Symbol.asyncDispose]: close,
    };
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
    if (work === undefined) return spread?.tasksKept(here) ?? here;
    return work.tasksThrough(spread?.tasksThrough(here) ?? here);
  };
}
