import { printableLine, quotedLine } from "../../data/printable.ts";
import { FORMAT_VERSION, READ_VERSIONS } from "./constants.ts";

/** Version of this kanpress, as in deno.json. */
export const KANPRESS_VERSION = "0.2.0";

/** Which kanpress wrote the format versions before those that are read. */
const EARLIER_WRITERS: ReadonlyMap<string, string> = new Map([
  ["1", "a kanpress before 0.1.0"],
  ["2", "kanpress 0.1.0"],
]);

/**
 * Why a compressed file of another format version cannot be read, and what to do about it; undefined
 * for those that are read. `writer` is the metadata entry of that name.
 */
export function versionProblem(
  version: string | undefined,
  writer: string | undefined,
): string | undefined {
  if (version !== undefined && READ_VERSIONS.includes(version)) return undefined;
  const here = `this kanpress ${KANPRESS_VERSION} reads the format versions ` +
    READ_VERSIONS.join(" and ");
  if (!/^[1-9]\d{0,8}$/.test(version ?? "")) {
    return `has format version ${
      quotedLine(String(version), 40)
    }, which no kanpress writes; ${here}`;
  }
  const by = writer === undefined ? EARLIER_WRITERS.get(version!) : printableLine(writer, 60);
  const written = `was written in format version ${version}${by === undefined ? "" : ` by ${by}`}`;
  const advice = Number(version) > Number(FORMAT_VERSION)
    ? "update kanpress"
    : "compress the model again, or decompress the file with the kanpress that wrote it";
  return `${written}; ${here}; ${advice}`;
}
