import { printableLine, quotedLine } from "./printable.ts";

const longestName = 120;
const longestValue = 80;

/**
 * A name from a file (a tensor, a key) as it may stand in a one-line message: quoted, shortened,
 * and made printable as by {@linkcode printableLine}.
 */
export function quote(name: string): string {
  return quotedLine(name, longestName);
}

/**
 * A value of a JSON file, such as config.json, as it may stand in a one-line message: JSON of at
 * most 80 characters, made printable as by {@linkcode printableLine}.
 */
export function quoteValue(value: unknown): string {
  if (typeof value === "string") return quotedLine(value, longestValue);
  return printableLine(jsonOf(value), longestValue);
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    // Nested more deeply than JSON.stringify can follow.
    return Array.isArray(value) ? "[…]" : "{…}";
  }
}
