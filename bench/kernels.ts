/**
 * How much faster are the WebAssembly kernels than their TypeScript references, on one core? Prints
 * both side by side.
 *
 *     deno run bench/kernels.ts
 */
import { laplacianModel, symbolTables } from "../hierarchy/entropy/symbol_model.ts";
import { symbolCosts } from "../hierarchy/entropy/symbol_costs.ts";
import { createPathSearchKernel } from "../hierarchy/kernels/path_search_kernel.ts";
import { createPathSearch } from "../hierarchy/quantize/path_search.ts";
import { createTrellis } from "../hierarchy/quantize/trellis.ts";
import { quantizeRun } from "../hierarchy/quantize/viterbi.ts";
import { createRandom } from "../kan/random.ts";

const RUNS = 5;

/** Least of the seconds that several runs take: the one that other processes disturbed least. */
function leastSeconds(work: () => void): number {
  let least = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    work();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

function row(cells: readonly (string | number)[]): void {
  const text = cells.map((cell) => typeof cell === "number" ? cell.toPrecision(3) : cell);
  console.log(text.map((cell, i) => i === 0 ? cell.padEnd(28) : cell.padStart(12)).join(""));
}

function benchQuantization(): void {
  const length = 1 << 16;
  const random = createRandom(1);
  const targets = Float32Array.from({ length }, () => 4 * random.normal());
  const indices = new Int32Array(length);
  const costs = symbolCosts(symbolTables(laplacianModel(2)));
  const rate = { lambda: 0.1, costs, classes: new Uint8Array(length).fill(38) };
  row(["quantization", "TypeScript", "kernel", "ratio", "(million weights a second)"]);
  for (const states of [4, 8, 64, 256]) {
    const trellis = createTrellis(states);
    const searches = [createPathSearch(trellis), createPathSearchKernel(trellis)!];
    for (const term of [undefined, rate]) {
      const [reference, kernel] = searches.map((search) =>
        length / 1e6 / leastSeconds(() => quantizeRun(trellis, targets, 0, indices, term, search))
      );
      const name = `${states} states${term === undefined ? "" : ", rate term"}`;
      row([name, reference!, kernel!, kernel! / reference!]);
    }
  }
}

benchQuantization();
