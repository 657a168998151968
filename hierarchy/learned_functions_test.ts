import assert from "node:assert";
import { InputError } from "../data/input_error.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { encodeContainer } from "./file/container.ts";
import { readLearnedFunctions } from "./learned_functions.ts";

/** Gaussian weights whose deviation is the product of a row's and a column's. */
function separableWeights(rows: number, columns: number) {
  const random = createRandom(5);
  const data = Float32Array.from(
    { length: rows * columns },
    (_, i) =>
      random.normal() * 2 ** (Math.floor(i / columns) / rows) * 2 ** (2 * (i % columns) / columns),
  );
  return new Map([["w", { dtype: "F32" as const, shape: [rows, columns], data }]]);
}

Deno.test("the learned scales are those of the weights' rows and columns", async () => {
  const compressed = await new HierarchicalCompressor({ bits: 4 }).compress(
    separableWeights(96, 128),
  );
  const { matrices, codeLengths } = await readLearnedFunctions(compressed);
  const [{ name, logScale, logStep }] = matrices as [typeof matrices[0]];
  assert.equal(name, "w");
  assert.equal(logStep, undefined); // no calibration: one step for all
  const rise = (values: Float64Array) => values.at(-1)! - values[0]!;
  assert.ok(Math.abs(rise(logScale.rows) - 1) < 0.4, String(rise(logScale.rows)));
  assert.ok(Math.abs(rise(logScale.columns) - 2) < 0.4, String(rise(logScale.columns)));
  assert.equal(codeLengths.length, 8);
});

Deno.test("code lengths are those of distributions that widen with the scale", async () => {
  const compressed = await new HierarchicalCompressor({ bits: 4 }).compress(
    separableWeights(96, 128),
  );
  const { codeLengths } = await readLearnedFunctions(compressed);
  for (const { logScale, bits } of codeLengths) {
    // Positive and negative symbols; wide scales have more beyond the last.
    const total = bits.reduce((sum, b, k) => sum + (k === 0 ? 1 : 2) * 2 ** -b, 0);
    assert.ok(total < 1.01, `${logScale}: ${total}`);
    if (logScale <= 1) assert.ok(total > 0.9, `${logScale}: ${total}`);
  }
  const zeros = codeLengths.map(({ bits }) => bits[0]!);
  assert.ok(zeros[0]! < 0.2 && zeros[0]! < zeros.at(-1)!);
});

Deno.test("a file without a trellis level is refused", async () => {
  const bytes = await encodeContainer({
    tensors: [{ name: "w", dtype: "F32", shape: [1], stored: "F32" }],
    aliases: new Map(),
    stages: [],
    verbatim: new Uint8Array(4),
  });
  await assert.rejects(readLearnedFunctions(bytes), InputError);
});
