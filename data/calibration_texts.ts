import { fileURLToPath } from "node:url";
import { readAll } from "./byte_source.ts";
import { openFile } from "./file_source.ts";
import { openUrl } from "./url_source.ts";

/** The kinds of text that models are calibrated on by default; each has a file of its own. */
export const CALIBRATION_KINDS = [
  "encyclopedia",
  "novel",
  "articles",
  "science",
  "conversation",
  "questions",
  "play",
  "code",
  "languages",
] as const;

/** A text of one kind. */
export interface CalibrationText {
  /** Which kind it is of. */
  readonly kind: string;
  /** The text. */
  readonly text: string;
}

/** The folder of the texts, beside this module. */
const folder = new URL("./calibration/", import.meta.url);

/**
 * Reads the texts of several kinds that come with kanpress, for models to be calibrated on: from
 * their files, or over HTTP where kanpress was itself imported from there.
 *
 * ```ts
 * import { readCalibrationTexts } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const texts = await readCalibrationTexts();
 * assert(texts.some(({ kind, text }) => kind === "code" && text.includes("#include")));
 * ```
 */
export async function readCalibrationTexts(base: URL = folder): Promise<CalibrationText[]> {
  return await Promise.all(CALIBRATION_KINDS.map(async (kind) => {
    const url = new URL(`${kind}.txt`, base);
    const source = url.protocol === "file:"
      ? await openFile(fileURLToPath(url))
      : await openUrl(url);
    return { kind, text: new TextDecoder().decode(await readAll(source)) };
  }));
}
