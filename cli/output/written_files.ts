import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isJsonObject } from "../../data/json_file.ts";
import { cardName, chooseCompanions } from "../../data/model_files.ts";
import { printableLine } from "../../data/printable.ts";
import { isOnnxFileName } from "../../eval/onnx/onnx_types.ts";
import { ownedNames } from "./place.ts";

/** A card with more is nobody's that we know of. */
const LONGEST_CARD = 1e6;
const LIST = /<!-- written by kanpress: (\{[^\n]*\}) -->\n$/;
/** Larger files are known by their size: they are weights, which are known by other signs too. */
const LARGEST_HASHED = 2 ** 25;
/** Where calibrations of a model are kept that is in the folder. */
const CACHE_NAME = ".kanpress";

/** By file: the beginning of its SHA-256, or its size in bytes. */
export type WrittenFiles = Readonly<Record<string, unknown>>;

/** The files of a folder that is being written, to be listed in its card. */
export function listFiles(folder: string): WrittenFiles {
  return Object.fromEntries(
    filesIn(folder).filter((name) => name !== cardName)
      .map((name) => [name, signOf(join(folder, name))]),
  );
}

/**
 * A card with a list of the files beside it at its end, as a comment, by which a later run knows
 * what is kanpress's own and unchanged.
 */
export function cardWithList(card: string, files: WrittenFiles): string {
  const text = card.endsWith("\n") ? card : `${card}\n`;
  // No name may end the comment.
  const list = JSON.stringify({ [cardName]: hash(text), ...files }).replaceAll("-", "\\u002d");
  return `${text}\n<!-- written by kanpress: ${list} -->\n`;
}

/**
 * Says what in a folder kanpress did not write; undefined where all of it was written with the
 * weights of this name, as `wroteWeights` knows them, and not changed since.
 */
export async function foreignIn(
  folder: string,
  weights: string,
  wroteWeights: (path: string) => Promise<boolean>,
): Promise<string | undefined> {
  if (!existsSync(join(folder, weights)) || !await wroteWeights(join(folder, weights))) {
    return "exists and was not written by kanpress";
  }
  const card = join(folder, cardName);
  const list = readList(card);
  if (list === undefined && existsSync(card)) {
    return `has a ${cardName} which kanpress did not write, or which was changed since`;
  }
  for (const name of filesIn(folder)) {
    if (name === weights) continue;
    const sign = list?.[name];
    const shown = printableLine(name, 80);
    // Without a card, files are known by their names.
    const isUsual = chooseCompanions([name]).length > 0 || name === "model.gguf" ||
      dirname(name) === "onnx" && isOnnxFileName(basename(name));
    if (list === undefined ? !isUsual : sign === undefined) {
      return `has ${shown}, which kanpress did not write`;
    }
    if (list === undefined || name === cardName || sign === signOf(join(folder, name))) continue;
    return `has ${shown}, which was changed since kanpress wrote it`;
  }
  return undefined;
}

/** Whether a text is a card that kanpress wrote and nobody changed. */
export function isOwnCard(text: string): boolean {
  return listIn(text) !== undefined;
}

function readList(path: string): WrittenFiles | undefined {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined || size > LONGEST_CARD) return undefined;
  return listIn(readFileSync(path, "utf8"));
}

function listIn(card: string): WrittenFiles | undefined {
  const found = LIST.exec(card);
  if (found === null) return undefined;
  let list: unknown;
  try {
    list = JSON.parse(found[1]!);
  } catch {
    return undefined;
  }
  if (!isJsonObject(list)) return undefined;
  return list[cardName] === hash(card.slice(0, found.index - 1)) ? list : undefined;
}

/** Paths of the files in a folder and its subfolders, sorted; empty folders as themselves. */
function filesIn(folder: string, within: string = ""): string[] {
  const names = ownedNames(join(folder, within)).map((name) => join(within, name)).toSorted();
  return names.filter((name) => name !== CACHE_NAME).flatMap((name) => {
    // A link to a folder is one thing, wherever it leads.
    if (!lstatSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory()) return [name];
    return readdirSync(join(folder, name)).length === 0 ? [name] : filesIn(folder, name);
  });
}

function signOf(path: string): string | number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return undefined;
  return found.size > LARGEST_HASHED ? found.size : hash(readFileSync(path));
}

function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 32);
}
