import assert from "node:assert";
import { displayFigure, type Figure, functionsFigure } from "@kanpress/kanpress/plots";
import { findProblems } from "./check_notebook.ts";

const texts = { title: "title", xTitle: "x", yTitle: "y" };
const line = functionsFigure([{ name: "f", x: [0, 1, 2], y: [0, 1, 4] }], texts);
const others = [5, 6].map((value) => ({ name: "f", x: [0, 1], y: [value, value] }));
const twoLines = functionsFigure(others, texts);

/** The output of a cell that shows a figure. */
async function outputOf(
  figure: Figure,
  scale = 1,
): Promise<{ output_type: string; data: object }> {
  const shown = displayFigure(figure, { renderer: "builtin", scale });
  return { output_type: "display_data", data: await shown[Symbol.for("Jupyter.display")]!() };
}

function notebook(source: string, outputs: readonly object[]): string {
  const cells = [{ cell_type: "markdown", source }, { cell_type: "code", source, outputs }];
  return JSON.stringify({ cells });
}

Deno.test("a notebook whose figures can be seen has no problems", async () => {
  const text = notebook("displayFigure(line)", [
    { output_type: "stream", text: "hello" },
    await outputOf(line),
  ]);
  assert.deepEqual(await findProblems(text), []);
});

Deno.test("errors, missing and empty figures, and too much output are found", async () => {
  const good = await outputOf(line);
  const picture = (good.data as Record<string, unknown>)["image/png"];
  const plotly = "application/vnd.plotly.v1+json";
  const cases: [readonly object[], RegExp][] = [
    [[], /^cell 2: shows 0 figures where 1 are drawn$/],
    [[good, { output_type: "error", ename: "TypeError", evalue: "no" }], /^cell 2: TypeError: no$/],
    [[{ ...good, data: { "image/png": picture } }], /has no plotly traces/],
    [
      [{ ...good, data: { "image/png": picture, [plotly]: twoLines } }],
      /trace 2 .* cannot be seen/,
    ],
    [
      [{ ...good, data: { "image/png": picture, [plotly]: { data: [{ y: [null] }] } } }],
      /trace 1 of a figure has no values/,
    ],
    [[good, { output_type: "stream", text: "x".repeat(1e6) }], /more than 1000000/],
  ];
  for (const [outputs, message] of cases) {
    const problems = await findProblems(notebook("displayFigure(line)", outputs));
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0]!, message);
  }
});

Deno.test("a cell writes once, and figures are as wide as front ends show them", async () => {
  const write = { output_type: "stream", name: "stdout", text: "hello" };
  assert.deepEqual(await findProblems(notebook("console.log(1)", [write])), []);
  assert.deepEqual(await findProblems(notebook("console.log(1)", [write, write])), [
    "cell 2: writes 2 times; join lines to one call",
  ]);
  const wide = notebook("displayFigure(line)", [await outputOf(line, 2)]);
  assert.deepEqual(await findProblems(wide), ["cell 2: a figure is 1640 pixels wide, not 820"]);
});
