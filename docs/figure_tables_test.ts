import assert from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  cellsOf,
  figureTables,
  figureTablesIn,
  missingFrom,
  pages,
  runFigures,
  tablesIn,
  unmarkedTables,
  withTables,
} from "./figure_tables.ts";

const tables = figureTables();
/** CI sets KANPRESS_SLOW=1. */
const isSlowRun = Deno.env.get("KANPRESS_SLOW") === "1";
const read = (page: string) => readFileSync(new URL(`../${page}`, import.meta.url), "utf8");

Deno.test("tables of figures have commands that are there, and small parts where they can", () => {
  assert.ok(tables.length > 30);
  for (const { page, command, part, table } of tables) {
    for (const line of [command, ...part === undefined ? [] : [part.command]]) {
      const script = line.split(" ").find((word) => word.endsWith(".ts"));
      const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
      const isTask = line.startsWith("deno task ");
      assert.ok(isTask || script !== undefined && existsSync(path), `${page}: ${line}`);
    }
    assert.equal(tablesIn(table).length, 1, `${page}: ${command}`);
  }
});

Deno.test("every comment of figures has its table", () => {
  for (const page of pages()) {
    const comments = read(page).match(
      /<!-- (?:figures[^:\n]*: deno (?:run|task) [^\n]*-->(?!\n(?:<!-- checked by: deno task [^\n]*\n)?\n*```text)|(?:checked by|laid out as): deno run)/g,
    );
    const found = figureTablesIn(page, read(page))
      .reduce((sum, { part }) => sum + (part === undefined ? 1 : 2), 0);
    assert.equal(found, comments?.length ?? 0, `${page}: a comment that no table stands below`);
  }
});

/** Tables of constants, and those of the cards of models. */
const OTHERS = ["docs/format.md", "data/embedded/", "demo/models/"];

Deno.test("every table of figures names the command that prints it", () => {
  const checked = pages().filter((page) => !OTHERS.some((other) => page.startsWith(other)));
  const unmarked = checked.flatMap((page) =>
    unmarkedTables(read(page)).map((table) => [page, table])
  );
  assert.deepEqual(unmarked, [], "put a comment above it: see docs/figure_tables.ts");
});

Deno.test("compress --help says of --bits what the page says", () => {
  const page = tables.find(({ command }) => command.endsWith("--view rates"))!;
  const shown = cellsOf(page.table).slice(1).map(([bits, small, , top1, perplexity]) => [
    ...[bits!, small!, top1!, perplexity!],
  ]);
  const lines = read("cli/compress/command.ts").match(/^ {2}\d[\d.]* {10,}.*$/gm)!;
  const help = lines.map((line) => line.trim().replace(/`;$/, "").split(/ {2,}/));
  assert.deepEqual(help, shown);
});

for (const { page, command, index, table } of tables.filter(({ isChecked }) => isChecked)) {
  Deno.test(`${page}: the figures are those of ${command}, table ${index + 1}`, async () => {
    const printed = (await runFigures(command))[index];
    assert.ok(printed !== undefined);
    const found = cellsOf(table);
    assert.deepEqual(found, cellsOf(printed), "run deno task figures:tables");
  });
}

for (const { page, part, index, table } of tables) {
  if (part === undefined) continue;
  Deno.test({
    name: `${page}: what ${part.command} prints stands in its table`,
    ignore: !isSlowRun,
    async fn() {
      const printed = (await runFigures(part.command))[index];
      assert.ok(printed !== undefined);
      assert.deepEqual(missingFrom(table, printed, part.kind), []);
    },
  });
}

Deno.test("a page gets the tables of the commands that ran, and keeps the others", () => {
  const place = (title: string, cell: string) =>
    `<!-- figures${title} -->\n\n| a |\n| - |\n| ${cell} |\n\n`;
  const page = (first: string, second: string, other: string, last: string) =>
    `# Page\n\n${place(", checked: deno run a.ts", first)}\ntext\n\n` +
    place(", second table: deno run a.ts -->\n<!-- checked by: deno run a.ts --quick", second) +
    `${place(": deno run b.ts", other)}${place(", by hand: deno run a.ts", last)}`;
  const table = (cell: string) => `| a |\n| - |\n| ${cell} |`;
  const printed = new Map([["deno run a.ts", tablesIn(`x\n${table("1")}\n\ny\n${table("2")}\n`)]]);
  assert.equal(withTables(page("0", "0", "0", "0"), printed), page("1", "2", "0", "0"));
  assert.throws(
    () => withTables(page("", "", "", ""), new Map([["deno run a.ts", []]])),
    /prints 0/,
  );
  const found = figureTablesIn("page", page("0", "0", "0", "0"));
  assert.deepEqual(
    found.map(({ index, isChecked, isByHand, part }) => [
      ...[index, isChecked, isByHand, part?.kind, part?.command],
    ]),
    [
      [0, true, false, undefined, undefined],
      [1, false, false, "checked by", "deno run a.ts --quick"],
      [0, false, false, undefined, undefined],
      [0, false, true, undefined, undefined],
    ],
  );
});

Deno.test("a small part is compared by the headings that both have", () => {
  const page = "| name | bits | KL |\n| - | - | - |\n| a | 2 | .1 |\n| b | 3 | .2 |";
  const small = (rows: string) => `| name | KL |\n| - | - |\n${rows}`;
  assert.deepEqual(missingFrom(page, small("| b | .2 |"), "checked by"), []);
  assert.deepEqual(missingFrom(page, small("| b | .1 |"), "checked by"), ["b | .1"]);
  assert.equal(missingFrom(page, "| name |\n| - |\n| a |", "checked by").length, 1);
  const other = (name: string) => `| name | bits | KL |\n| - | - | - |\n| ${name} | 9 | 9 |`;
  assert.deepEqual(missingFrom(page, other("a"), "laid out as"), []);
  assert.deepEqual(missingFrom(page, other("c"), "laid out as"), ["c"]);
  assert.deepEqual(missingFrom(page, small("| a | .1 |"), "laid out as"), ["KL"]);
});

Deno.test("tables of figures are told from others", () => {
  const table = (cell: string) => `| a | b |\n| - | - |\n| x | ${cell} |\n`;
  for (const figure of ["12", "0.3 %", "1.9e-5", ".0042 ± .1", "-4 %", "2.1 MB", "1,024"]) {
    assert.equal(unmarkedTables(table(figure)).length, 1, figure);
  }
  for (const words of ["text", "`--bits 3`", "", "3rd party"]) {
    assert.equal(unmarkedTables(table(words)).length, 0, words);
  }
  assert.equal(unmarkedTables(`<!-- figures: deno run a.ts -->\n\n${table("1")}`).length, 0);
});
