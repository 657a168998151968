import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readJsonObject } from "../../data/json_file.ts";
import { type ModelSource, openFile } from "../../data/mod.ts";
import type { ModelConfig } from "../../eval/mod.ts";

const NAME = "generation_config.json";

/** The `generation_config.json` in a folder, else that of a model; empty if there is none. */
export async function readGenerationConfig(
  folder: string | undefined,
  model: Pick<ModelSource, "companions"> | undefined,
): Promise<ModelConfig> {
  const path = folder === undefined ? undefined : join(folder, NAME);
  const file = path !== undefined && existsSync(path)
    ? await openFile(path)
    : model?.companions.find(({ name }) => basename(name) === NAME);
  return file === undefined ? {} : await readJsonObject(file);
}
