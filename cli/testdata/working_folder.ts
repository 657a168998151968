import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Runs `work` with `folder` as the working folder. Test files run side by side in threads of one
 * process, which has one working folder: those that change it take turns.
 */
export async function inWorkingFolder<T>(
  folder: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const path = join(tmpdir(), "kanpress-tests-working-folder.lock");
  using lock = await Deno.open(path, { create: true, write: true });
  await lock.lock(true);
  const before = Deno.cwd();
  try {
    Deno.chdir(folder);
    return await work();
  } finally {
    Deno.chdir(before);
    await lock.unlock();
  }
}
