import { existsSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { ModelSource } from "../../data/mod.ts";

/** Before the name of a hub model where a compressed file records what it was made from. */
export const HUB_PREFIX = "hf://";

/** Files that say nothing of which model they are: their folder does. */
const USUAL_WEIGHTS = /^model\.safetensors(\.index\.json)?$/;

/** Whether what was given names a model by its path, not the embedded one or one of the hub. */
export function isLocalPath(given: string | undefined): given is string {
  return given !== undefined && existsSync(given);
}

/**
 * What a model is called: the embedded one and those of the hub by their names, and one that was
 * given by a path as its folder, or its weights file, is called, however the path was typed.
 */
function plainName(given: string | undefined, model: Pick<ModelSource, "name">): string {
  if (!isLocalPath(given)) return model.name;
  const path = resolve(given);
  const named = USUAL_WEIGHTS.test(basename(path)) ? dirname(path) : path;
  return basename(named).replace(/\.safetensors(\.index\.json)?$|(-\d{5}-of-\d{5})?\.gguf$/i, "");
}

/**
 * What a compressed file records of its original: a name of the hub, or a name without the path. A
 * file that is published must not tell where things are on the machine that it was made on, and the
 * bytes of the same model must not depend on that.
 */
export function recordedName(
  given: string | undefined,
  model: Pick<ModelSource, "name">,
): string {
  const isHub = given !== undefined && !isLocalPath(given);
  return `${isHub ? HUB_PREFIX : ""}${plainName(given, model)}`;
}

/** Name of a model for output folders: no slashes, nothing hidden. */
export function modelLabel(given: string | undefined, model: Pick<ModelSource, "name">): string {
  return plainName(given, model).replace(/\.gguf$/i, "").replace(/[^\w.-]+/g, "-").replace(
    /^\.+/,
    "",
  ) || "model";
}
