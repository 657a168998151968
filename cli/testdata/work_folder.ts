import { join } from "node:path";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { type TinyModelChanges, writeTinyModel } from "./tiny_model.ts";

/** Enough text for some chunks of the tiny model. */
export const TEXT = "The ferry was late, and nobody in the town was surprised. ".repeat(4);

/**
 * Runs `work` with a temporary folder that holds a tiny model in `model/` and a text in `text.txt`,
 * and nothing else.
 */
export async function withWorkFolder(
  work: (folder: string) => void | Promise<void>,
  changes: TinyModelChanges = {},
): Promise<void> {
  using folder = new TemporaryFolder();
  await writeTinyModel(join(folder.path, "model"), changes);
  await Deno.writeTextFile(join(folder.path, "text.txt"), TEXT);
  await work(folder.path);
}

/** Names of the files in a folder, sorted. */
export function fileNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}
