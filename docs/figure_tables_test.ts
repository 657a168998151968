import assert from "node:assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { cellsOf, figureTables, runFigures, tablesIn, withTables } from "./figure_tables.ts";

const tables = figureTables();

Deno.test("tables of figures have commands that are there", () => {
  assert.ok(tables.length > 4);
  for (const { page, command, table } of tables) {
    const script = command.split(" ").find((word) => word.endsWith(".ts"));
    const path = fileURLToPath(new URL(`../${script}`, import.meta.url));
    assert.ok(script !== undefined && existsSync(path), `${page}: ${command}`);
    assert.equal(tablesIn(table).length, 1, `${page}: ${command}`);
  }
});

for (const { page, command, index, table } of tables.filter(({ isChecked }) => isChecked)) {
  Deno.test(`${page}: the figures are those of ${command}`, async () => {
    const printed = (await runFigures(command))[index];
    assert.ok(printed !== undefined);
    const found = cellsOf(table);
    assert.deepEqual(
      found,
      cellsOf(printed),
      `run deno task figures:tables "${command.split(" ").at(-1)}"`,
    );
  });
}

Deno.test("a page gets the tables of the commands that ran, and keeps the others", () => {
  const place = (title: string, cell: string) =>
    `<!-- figures${title} -->\n\n| a |\n| - |\n| ${cell} |\n\n<!-- end of figures -->\n`;
  const page = (first: string, second: string, other: string) =>
    `# Page\n\n${place(", checked: deno run a.ts", first)}\ntext\n\n` +
    `${place(", second table: deno run a.ts", second)}\n${place(": deno run b.ts", other)}`;
  const table = (cell: string) => `| a |\n| - |\n| ${cell} |`;
  const printed = new Map([["deno run a.ts", tablesIn(`x\n${table("1")}\n\ny\n${table("2")}\n`)]]);
  assert.equal(withTables(page("0", "0", "0"), printed), page("1", "2", "0"));
  assert.throws(() => withTables(page("", "", ""), new Map([["deno run a.ts", []]])), /prints 0/);
});
