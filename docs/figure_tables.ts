/**
 * `deno task figures:tables [WORD]`: measures the tables of figures in the pages once more and writes them in
 * their places; with a word, those whose command has it. A table stands between two comments, the first
 * of which has the command that prints it:
 *
 *     <!-- figures: deno run --allow-read bench/decode.ts -->
 *     | … |
 *     <!-- end of figures -->
 *
 * `figures, second table:` takes the second of the tables that a command prints. A test runs the
 * commands of those that begin with `figures, checked:`, which take seconds and give the same figures on
 * every machine.
 *
 * @module
 */
import { globSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PLACES =
  /(<!-- figures(, checked)?(, second table)?: (deno run [^\n]*?) -->\n)([^]*?)(\n*<!-- end of figures -->)/g;

/** A table of figures in a page. */
export interface FigureTable {
  /** Path of the page, from the root of the project. */
  readonly page: string;
  /** What prints it. */
  readonly command: string;
  /** Which of the tables that the command prints it is, from 0. */
  readonly index: number;
  /** Whether a test compares it with what the command prints. */
  readonly isChecked: boolean;
  /** The table as it is in the page. */
  readonly table: string;
}

/** All tables between comments, in all pages. */
export function figureTables(): FigureTable[] {
  const pages = globSync("**/*.md", { cwd: ROOT, exclude: ["**/node_modules/**"] });
  return pages.toSorted().flatMap((page) => {
    const found = readFileSync(join(ROOT, page), "utf8").matchAll(PLACES);
    return Array.from(found, ([, , checked, second, command, table]) => ({
      page,
      command: command!,
      index: second === undefined ? 0 : 1,
      isChecked: checked !== undefined,
      table: table!.trim(),
    }));
  });
}

/** Runs a command of a page and gives the tables that it prints; throws where it fails. */
export async function runFigures(command: string): Promise<string[]> {
  const [, ...args] = command.split(/ +/);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
  return tablesIn(new TextDecoder().decode(stdout));
}

/** The tables in a text of Markdown. */
export function tablesIn(text: string): string[] {
  return Array.from(text.matchAll(/(?:^\|.*\|$\n?)+/gm), ([table]) => table.trim());
}

/** The cells of a table, without the spaces and rules that only align them. */
export function cellsOf(table: string): string[][] {
  const rows = table.split("\n").map((line) => line.split("|").slice(1, -1));
  return rows.filter((row) => !row.every((cell) => /^\s*:?-+:?\s*$/.test(cell)))
    .map((row) => row.map((cell) => cell.trim()));
}

/** A page with other tables in the places of commands; those of other commands stay. */
export function withTables(
  page: string,
  printed: ReadonlyMap<string, readonly string[]>,
): string {
  return page.replaceAll(
    PLACES,
    (place, start: string, _checked, second, command: string, _table, end: string) => {
      const tables = printed.get(command);
      if (tables === undefined) return place;
      const table = tables[second === undefined ? 0 : 1];
      if (table === undefined) throw new Error(`${command}: prints ${tables.length} tables`);
      return `${start}\n${table}${end}`;
    },
  );
}

if (import.meta.main) {
  const [word = ""] = Deno.args;
  const chosen = figureTables().filter(({ command }) => command.includes(word));
  if (chosen.length === 0) {
    console.error(`no table has a command with ${JSON.stringify(word)}; see docs/figure_tables.ts`);
    Deno.exit(1);
  }
  const printed = new Map<string, string[]>();
  for (const command of new Set(chosen.map(({ command }) => command))) {
    console.log(command);
    printed.set(command, await runFigures(command));
  }
  const pages = [...new Set(chosen.map(({ page }) => join(ROOT, page)))];
  for (const path of pages) {
    await writeFile(path, withTables(await readFile(path, "utf8"), printed));
  }
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", ...pages], cwd: ROOT }).output();
}
