import { join } from "node:path";
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
  const folder = await Deno.makeTempDir();
  try {
    await writeTinyModel(join(folder, "model"), changes);
    await Deno.writeTextFile(join(folder, "text.txt"), TEXT);
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names of the files in a folder, sorted. */
export function fileNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
}
