import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isJsonObject } from "../../data/json_file.ts";
import { parseJson } from "../../data/parse_json.ts";
import { printableLine } from "../../data/printable.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import { listFiles } from "./written_files.ts";

/** Name of the file that says what of a folder is the page that `demo --build` wrote. */
const LIST_NAME = "kanpress-site.json";

/** Lists the files of a folder that is being written, for a later run to know them by. */
export async function writeSiteList(folder: string): Promise<void> {
  const text = JSON.stringify({ writtenBy: "kanpress", files: listFiles(folder) });
  await writeFileAtomically(join(folder, LIST_NAME), [new TextEncoder().encode(text)]);
}

/** Says what in a folder is not of the page that `demo --build` wrote; undefined where all is. */
export function foreignInSite(folder: string): string | undefined {
  const path = join(folder, LIST_NAME);
  const listed = existsSync(path) ? readList(path) : undefined;
  if (listed === undefined) return "exists and was not written by kanpress";
  for (const [name, sign] of Object.entries(listFiles(folder))) {
    if (name === LIST_NAME) continue;
    const shown = printableLine(name, 80);
    if (!(name in listed)) return `has ${shown}, which kanpress did not write`;
    if (listed[name] !== sign) return `has ${shown}, which was changed since kanpress wrote it`;
  }
  return undefined;
}

function readList(path: string): Record<string, unknown> | undefined {
  try {
    const value = parseJson(readFileSync(path, "utf8"));
    if (!isJsonObject(value) || value["writtenBy"] !== "kanpress") return undefined;
    return isJsonObject(value["files"]) ? value["files"] : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
