import { dump, FAILSAFE_SCHEMA, load } from "js-yaml";

/** Texts and lists of texts by key. */
export type FrontMatter = Readonly<Record<string, string | readonly string[]>>;

/** More is not the head of a page. */
const LONGEST = 100_000;

/**
 * The YAML between two lines of hyphens with which a page begins, such as a model's card on the hub:
 * the keys whose values are texts or lists of texts. Empty if there is none that can be read: a
 * page is written by people, and nothing depends on it.
 */
export function parseFrontMatter(page: string): FrontMatter {
  const found = /^\uFEFF?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(\r?\n|$)/s.exec(page.slice(0, LONGEST));
  if (found === null) return {};
  let values: unknown;
  try {
    // Every scalar is a text: no is Norwegian, 2.0 a version.
    values = load(found[1]!, { schema: FAILSAFE_SCHEMA });
  } catch {
    return {};
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) return {};
  const isText = (value: unknown) => typeof value === "string";
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) =>
      isText(value) || (Array.isArray(value) && value.every(isText))
    ),
  );
}

/** A page's head, from the first line of hyphens to the second. */
export function formatFrontMatter(values: FrontMatter): string {
  return `---\n${dump(values, { lineWidth: -1, noRefs: true })}---\n`;
}
