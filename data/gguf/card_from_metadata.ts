import { formatFrontMatter } from "../front_matter.ts";
import { printableLine } from "../printable.ts";
import type { MetadataReader } from "./metadata_value.ts";

/** Keys of a card's head, and of the metadata that say the same. */
const keys = [
  ["license", "general.license"],
  ["license_name", "general.license.name"],
  ["license_link", "general.license.link"],
  ["language", "general.languages"],
  ["base_model", "general.base_model.0.repo_url"],
] as const;

/**
 * A model's card (`README.md`) from what its GGUF file says: licence, languages, names of the model
 * and its authors; undefined where it names no licence, so that a card beside it may.
 */
export function cardFromMetadata(metadata: MetadataReader): string | undefined {
  const head = Object.fromEntries(keys.flatMap(([key, path]) => {
    const value = key === "language" ? metadata.texts(path) : metadata.text(path);
    return value === undefined || value.length === 0 ? [] : [[key, value]];
  }));
  if (!("license" in head) && !("license_link" in head)) return undefined;
  const line = (path: string) => printableLine(metadata.text(path) ?? "");
  const authors = [line("general.author"), line("general.organization")].filter((text) =>
    text !== ""
  );
  const title = line("general.name") || "A model";
  const by = authors.length === 0 ? "" : `\n\nBy ${[...new Set(authors)].join(", ")}.`;
  return `${formatFrontMatter(head)}\n# ${title}${by}\n`;
}
