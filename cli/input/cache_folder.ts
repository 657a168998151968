import { homedir } from "node:os";
import { join } from "node:path";
import type { ModelSource } from "../../data/mod.ts";
import type { Environment } from "../terminal/run.ts";

/** Folder beside a model's own files. */
export const LOCAL_FOLDER = ".kanpress";

/**
 * Where a model's calibrations are kept: in the folder of `KANPRESS_CACHE` where that is set, for a
 * local model in `.kanpress/` in its folder, otherwise in `kanpress/` of the user's cache folder.
 */
export function cacheFolder(
  { path }: Pick<ModelSource, "path">,
  isLocal: boolean,
  environment: Environment,
): string {
  const { KANPRESS_CACHE, XDG_CACHE_HOME } = environment;
  if (KANPRESS_CACHE) return KANPRESS_CACHE;
  if (isLocal && path !== undefined) return join(path, LOCAL_FOLDER);
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "kanpress");
}
