import { fileURLToPath } from "node:url";

/**
 * Runs `work` with `folder` as the working folder. Test files run side by side in threads of one
 * process, which has one working folder: those that change it take turns, by a lock of this file.
 */
export async function inWorkingFolder<T>(
  folder: string,
  work: () => T | Promise<T>,
): Promise<T> {
  using lock = await Deno.open(fileURLToPath(import.meta.url));
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
