import assert from "node:assert";
import { changedFigures } from "./saved_figures.ts";

function notebook(...cells: (string | undefined)[]): string {
  return JSON.stringify({
    cells: cells.map((text) => ({
      cell_type: "code",
      source: "…",
      outputs: text === undefined
        ? []
        : [{ output_type: "stream", name: "stdout", text: text.split(/(?<=\n)/) }],
    })),
  });
}

Deno.test("figures that a notebook's file no longer shows rightly are found, by cell", () => {
  const saved = notebook("a model\n", "KL divergence 0.00452 ± 0.00017\nsame: 93.5 %\n");
  assert.deepEqual(
    changedFigures(saved, notebook("a model\n", "KL divergence 0.00416 ± 0.00019\nsame: 95.1 %\n")),
    [
      "cell 2: prints other figures than its file holds: " +
      "shown: KL divergence 0.00452 ± 0.00017 measured: KL divergence 0.00416 ± 0.00019",
    ],
  );
  const fewer = changedFigures(saved, notebook("a model\n", "KL divergence 0.00452 ± 0.00017\n"));
  assert.match(fewer[0]!, /^cell 2: .* shown: same: 93.5 % measured: $/);
});

Deno.test("what differs between processors and runs, and what was never saved, is no change", () => {
  const saved = notebook("KL 0.00452 ± 0.00017\nafter 9.3 s\n--- a story\nIt was", undefined);
  const executed = notebook("KL 0.00449 ± 0.00018\nafter 19.1 s\n--- a story\nHe was", "KL 1.5\n");
  assert.deepEqual(changedFigures(saved, executed), []);
});
