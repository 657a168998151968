import { firstDifference } from "../docs/figures.ts";

interface Notebook {
  readonly cells: readonly {
    readonly outputs?: readonly {
      readonly output_type: string;
      readonly name?: string;
      readonly text?: string | readonly string[];
    }[];
  }[];
}

/** A line that tells a figure; how many seconds something took is another each time. */
const FIGURE = /\d\.\d/, SECONDS = /\d s\b/;

/**
 * The cells of a notebook that print other figures than those that its file holds, by more than
 * processors differ; each with the first such line. Cells that print no figures, or that the file holds
 * no outputs of, have nothing to be compared.
 */
export function changedFigures(saved: string, executed: string): string[] {
  const before = printedFigures(saved), after = printedFigures(executed);
  return before.flatMap((figures, index) => {
    if (figures === "") return [];
    const difference = firstDifference(figures, after[index] ?? "");
    if (difference === undefined) return [];
    const lines = difference.replaceAll(/\s+/g, " ");
    return [`cell ${index + 1}: prints other figures than its file holds: ${lines}`];
  });
}

/** The lines with figures that each cell has printed. */
function printedFigures(notebook: string): string[] {
  const { cells } = JSON.parse(notebook) as Notebook;
  return cells.map(({ outputs = [] }) =>
    outputs.filter(({ output_type: type, name }) => type === "stream" && name === "stdout")
      .flatMap(({ text = "" }) => (typeof text === "string" ? text : text.join("")).split("\n"))
      .filter((line) => FIGURE.test(line) && !SECONDS.test(line)).join("\n")
  );
}
