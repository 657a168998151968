/**
 * `deno task figures:tables [WORD]`: measures the tables of figures in the pages once more and writes them in
 * their places; with a word, those whose command has it. A table stands below a comment that has the command
 * that prints it:
 *
 *     <!-- figures: deno run --allow-read bench/decode.ts -->
 *
 *     | … |
 *
 * After `figures` may stand, each after a comma,
 *
 * - `second table` (`third` …): the command prints several;
 * - `checked`: the command takes seconds and prints the same figures on every machine: a test runs it;
 * - `by hand`: rows were taken from what the command prints, in several runs or on a machine that few
 *   people have: the table is not rewritten.
 *
 * A second comment has a command that takes seconds, which a test runs where the whole takes long:
 *
 *     <!-- checked by: deno run --allow-all bench/presets.ts --only rate -->
 *     <!-- laid out as: deno run --allow-read bench/decode.ts --runs 1 -->
 *
 * What `checked by` prints stands in the table to the digit, as far as both have the same headings.
 * `laid out as` is for times and the like: its headings, and what its rows are called, stand there.
 *
 * @module
 */
import { globSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ORDINALS = ["first", "second", "third", "fourth", "fifth"];
const TABLE = String.raw`(?:^ *\|.*\|(?:\n|$))+`;
const PLACES = new RegExp(
  String.raw`(<!-- figures((?:, [a-z ]+)*): (deno (?:run|task) .*?) -->\n` +
    String.raw`(?:<!-- (checked by|laid out as): (deno run .*?) -->\n)?\n*)(${TABLE})`,
  "gm",
);

/** A command that takes seconds, and what of it stands in a table. */
export interface SmallPart {
  /** Whether its figures stand there, or only headings and what rows are called. */
  readonly kind: "checked by" | "laid out as";
  /** The command. */
  readonly command: string;
}

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
  /** Whether its rows were put together by hand. */
  readonly isByHand: boolean;
  /** What is checked where the whole takes long. */
  readonly part?: SmallPart;
  /** The table as it is in the page. */
  readonly table: string;
}

/** Pages of the project, as paths from its root. */
export function pages(): string[] {
  const outputs = readFileSync(join(ROOT, ".gitignore"), "utf8").match(/^.+\/$/gm)!
    .map((folder) => folder.startsWith("/") ? `${folder.slice(1)}**` : `**/${folder}**`);
  return globSync("**/*.md", { cwd: ROOT, exclude: outputs }).toSorted();
}

/** The tables below comments, in a page. */
export function figureTablesIn(page: string, text: string): FigureTable[] {
  return Array.from(
    text.matchAll(PLACES),
    ([, , words = "", command, kind, small, table]) => ({
      page,
      command: command!,
      index: indexOf(words),
      isChecked: words.includes(", checked"),
      isByHand: words.includes(", by hand"),
      ...(small !== undefined && { part: { kind: kind as SmallPart["kind"], command: small } }),
      table: table!.trim(),
    }),
  );
}

/** The tables below comments, in all pages. */
export function figureTables(): FigureTable[] {
  return pages().flatMap((page) => figureTablesIn(page, readFileSync(join(ROOT, page), "utf8")));
}

function indexOf(words: string): number {
  return Math.max(0, ORDINALS.findIndex((ordinal) => words.includes(`, ${ordinal} table`)));
}

/** Runs a command of a page and gives the tables that it prints; throws where it fails. */
export async function runFigures(command: string): Promise<string[]> {
  const args = Array.from(
    command.matchAll(/"([^"]*)"|(\S+)/g),
    ([, quoted, word]) => quoted ?? word!,
  )
    .slice(1);
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
  return tablesIn(new TextDecoder().decode(stdout));
}

/** The tables in a text of Markdown. */
export function tablesIn(text: string): string[] {
  return Array.from(text.matchAll(new RegExp(TABLE, "gm")), ([table]) => table.trim());
}

/** The cells of a table, without the spaces and rules that only align them. */
export function cellsOf(table: string): string[][] {
  const rows = table.split("\n").map((line) => line.trim().split(/(?<!\\)\|/).slice(1, -1));
  return rows.filter((row) => !row.every((cell) => /^\s*:?-+:?\s*$/.test(cell)))
    .map((row) => row.map((cell) => cell.trim()));
}

/** What of a small part's table does not stand in the page's; nothing where all does. */
export function missingFrom(table: string, printed: string, kind: SmallPart["kind"]): string[] {
  const [headings, ...rows] = cellsOf(table);
  const [ownHeadings, ...ownRows] = cellsOf(printed);
  if (kind === "laid out as") {
    const names = rows.map(([name]) => name);
    return [
      ...ownHeadings!.filter((heading, i) => heading !== headings![i]),
      ...ownRows.map(([name]) => name!).filter((name) => !names.includes(name)),
    ];
  }
  const shared = ownHeadings!.flatMap((heading, i) => {
    const place = headings!.indexOf(heading);
    return place < 0 ? [] : [[i, place] as const];
  });
  if (shared.length < 2) return [`no heading of ${ownHeadings!.join(", ")}`];
  return ownRows
    .filter((own) => !rows.some((row) => shared.every(([i, place]) => own[i] === row[place])))
    .map((own) => own.join(" | "));
}

/** A page with other tables in the places of commands; those of other commands stay. */
export function withTables(
  page: string,
  printed: ReadonlyMap<string, readonly string[]>,
): string {
  return page.replaceAll(PLACES, (place, start: string, words: string, command: string) => {
    const tables = printed.get(command);
    if (tables === undefined || words.includes(", by hand")) return place;
    const table = tables[indexOf(words)];
    if (table === undefined) throw new Error(`${command}: prints ${tables.length} tables`);
    return `${start}${table}\n`;
  });
}

/**
 * The tables in a page that look like measured figures, half of their cells or more, and stand below no
 * comment.
 */
export function unmarkedTables(page: string): string[] {
  const marked = Array.from(page.matchAll(PLACES), ([, , , , , , table]) => table!.trim());
  return tablesIn(page).filter((table) => !marked.includes(table) && isOfFigures(table));
}

function isOfFigures(table: string): boolean {
  const cells = cellsOf(table).slice(1).flatMap((row) => row.slice(1)).filter((cell) =>
    cell !== ""
  );
  const figures = cells.filter((cell) => /^[-+−±.]*\d[\d.,]*(e-?\d+)?(?![a-z])/.test(cell));
  return figures.length > 0 && figures.length >= cells.length / 2;
}

if (import.meta.main) {
  const [word = ""] = Deno.args;
  const chosen = figureTables().filter(({ command }) => command.includes(word));
  if (chosen.length === 0) {
    console.error(`no table has a command with ${JSON.stringify(word)}; see docs/figure_tables.ts`);
    Deno.exit(1);
  }
  const printed = new Map<string, string[]>();
  for (const { page, command, isByHand } of chosen) {
    if (printed.has(command)) continue;
    if (isByHand) {
      console.log(`${page}: a table put together by hand stays: ${command}`);
      continue;
    }
    console.log(command);
    printed.set(command, await runFigures(command));
  }
  const paths = [...new Set(chosen.map(({ page }) => join(ROOT, page)))];
  for (const path of paths) {
    await writeFile(path, withTables(await readFile(path, "utf8"), printed));
  }
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", ...paths], cwd: ROOT }).output();
}
