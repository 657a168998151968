import { InputError, readEmbeddedCalibration, readEmbeddedText } from "../../data/mod.ts";
import { readText } from "../../cli/evaluate/measure.ts";
import { type NamedFile, namedFile, partOfText } from "./real_models/named_file.ts";

/** A text and what it is called. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/**
 * The text of an option, `file` or a part of it, `file#50-100`; the embedded one where the option was
 * not given. Throws `InputError` where it cannot be read.
 */
export async function readTextOr(
  embedded: "evaluation" | "calibration",
  option: string,
  path: string | undefined,
): Promise<string> {
  if (path === undefined) {
    return await (embedded === "evaluation" ? readEmbeddedText() : readEmbeddedCalibration());
  }
  return (await readNamedText(`text=${path}`, option)).text;
}

/** Reads `name=file`, or a part of it: `name=file#50-100`; throws `InputError` where it cannot. */
export async function readNamedText(argument: string, option: string): Promise<NamedText> {
  const file = parseNamedFile(argument, option);
  return { name: file.name, text: partOfText(await readText(file.path, option), file) };
}

/**
 * Reads each `name=file` of an option that may be given again; the embedded text where it was not given.
 * Throws `InputError` where one cannot be read.
 */
export async function readNamedTextsOr(
  embedded: "evaluation" | "calibration",
  option: string,
  given: readonly string[] | undefined,
): Promise<NamedText[]> {
  if (given !== undefined) {
    return await Promise.all(given.map((argument) => readNamedText(argument, option)));
  }
  return [{ name: "embedded", text: await readTextOr(embedded, option, undefined) }];
}

/** Parses `name=file#50-100` of an option; throws `InputError` for anything else. */
export function parseNamedFile(argument: string, option: string): NamedFile {
  try {
    return namedFile(argument);
  } catch (error) {
    throw new InputError(`${option} ${argument}: ${(error as Error).message}`, { cause: error });
  }
}
