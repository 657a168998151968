/**
 * How much faster are the WebAssembly kernels than their TypeScript references, on one core? Prints
 * both side by side.
 *
 *     deno run bench/kernels.ts
 */
import { laplacianModel, symbolTables } from "../hierarchy/entropy/symbol_model.ts";
import { symbolCosts } from "../hierarchy/entropy/symbol_costs.ts";
import { createPathSearchKernel } from "../hierarchy/quantize/path_search_kernel.ts";
import { fitEntropyModel } from "../hierarchy/levels/fit_entropy_model.ts";
import { decodeSegment, encodeSegment } from "../hierarchy/entropy/index_code.ts";
import { createRunDecoder } from "../hierarchy/entropy/run_decoder.ts";
import { createRunDecoderKernel } from "../hierarchy/entropy/run_decoder_kernel.ts";
import { createErrorFeedbackKernel } from "../hierarchy/quantize/error_feedback_kernel.ts";
import { feedbackOperations } from "../hierarchy/quantize/feedback_operations.ts";
import { createPathSearch } from "../hierarchy/quantize/path_search.ts";
import { createTrellis } from "../hierarchy/scan/trellis.ts";
import { quantizeRun } from "../hierarchy/quantize/viterbi.ts";
import { runTasksHere } from "../hierarchy/workers/task_runner.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { leastCpuSeconds } from "./support/cpu_seconds.ts";
import { passErrorsOn } from "./support/feedback_pass.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

/** Runs of which the fastest counts. */
const RUNS = 5;

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
  const rate = { rateWeight: 0.1, costs, classes: new Uint8Array(length).fill(38) };
  row(["quantization", "TypeScript", "kernel", "ratio", "(million weights per second)"]);
  for (const states of [4, 8, 64, 256]) {
    const trellis = createTrellis(states);
    const searches = [createPathSearch(trellis), createPathSearchKernel(trellis)!];
    for (const term of [undefined, rate]) {
      const [reference, kernel] = searches.map((search) =>
        length / 1e6 / leastCpuSeconds(
          () => quantizeRun(trellis, targets, 0, indices, term, undefined, search),
          RUNS,
        )
      );
      const name = `${states} states${term === undefined ? "" : ", rate term"}`;
      row([name, reference!, kernel!, kernel! / reference!]);
    }
  }
}

function benchErrorFeedback(): void {
  const rows = 768, columns = 768;
  const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * i));
  const factor = Float32Array.from(
    { length: rows * (rows - 1) / 2 },
    (_, i) => Math.cos(i * i) / rows,
  );
  const metric = {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback: factor,
  };
  const both = { ...metric, columnBlocks: [{ start: 0, size: columns, feedback: factor }] };
  row(["error feedback", "TypeScript", "kernel", "ratio", "(GFLOP/s)"]);
  for (const [name, used, axes] of [["inputs", metric, 1], ["and outputs", both, 2]] as const) {
    const matrix = { name: "weight", rows, columns, data, metric: used };
    const [reference, kernel] = [feedbackOperations, createErrorFeedbackKernel()!].map(
      (operations) =>
        axes * rows ** 3 / 1e9 / leastCpuSeconds(() => passErrorsOn(matrix, operations), RUNS),
    );
    row([`${rows} ${name}`, reference!, kernel!, kernel! / reference!]);
  }
}

async function benchDecoding(): Promise<void> {
  const rows = 1024, columns = 1024, length = rows * columns;
  const random = createRandom(2);
  const trellis = createTrellis(8);
  row(["decoding", "TypeScript", "kernel", "ratio", "(million weights per second)"]);
  for (const scale of [0.8, 3.2, 12.8]) {
    const data = Float32Array.from({ length }, () => scale * random.normal());
    const task = { states: 8, matrix: { name: "weight", rows, columns, data } };
    const quantized = await runTasksHere("quantize", [task]);
    const { matrices, model } = await fitEntropyModel(8, quantized, runTasksHere);
    const tables = symbolTables(model);
    const segment = [{ matrix: 0, first: 0, end: rows + columns - 1 }];
    const stream = encodeSegment(trellis, segment, matrices, tables);
    const decoders = [
      createRunDecoder(trellis, tables),
      createRunDecoderKernel(trellis, tables, rows + columns)!,
    ];
    const [reference, kernel] = decoders.map((decoder) =>
      length / 1e6 / leastCpuSeconds(
        () => decodeSegment(decoder, stream, segment, matrices, () => {}),
        RUNS,
      )
    );
    const bits = (8 * stream.length / length).toFixed(2);
    row([`8 states, ${bits} bits per weight`, reference!, kernel!, kernel! / reference!]);
  }
}

benchQuantization();
await benchDecoding();
benchErrorFeedback();
