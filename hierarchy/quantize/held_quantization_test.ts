import assert from "node:assert";
import { join } from "node:path";
import fc from "fast-check";
import { loadFileArray } from "../../data/file_array.ts";
import { holdAsStored } from "../../data/half_values.ts";
import { memorySource } from "../../data/memory_source.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { copyToFile } from "../../data/tensor_file.ts";
import { fromFloat32 } from "../../data/from_float32.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { toFloat32 } from "../../data/to_float32.ts";
import { transpose } from "../../data/transpose.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { fitRowColumnScales, fitScalesOfBlocks } from "../entropy/row_column_scales.ts";
import { indexReader } from "../entropy/index_matrix.ts";
import { heldMatrix, multiplied } from "../matrix/held_matrix.ts";
import { matrixBlocks } from "../matrix/matrix_blocks.ts";
import { typicalSquare, typicalSquareOfParts } from "../matrix/typical_square.ts";
import { createTrellis } from "../scan/trellis.ts";
import { quantizeMatrix } from "./quantize_matrix.ts";

/** A metric of errors without blocks, and with one block of all columns. */
function metrics(rows: number, columns: number, random: ReturnType<typeof createRandom>) {
  const values = (length: number) => Float32Array.from({ length }, () => random.normal() / 8);
  const plain = {
    rowWeights: new Float64Array(rows).fill(1),
    columnWeights: new Float64Array(columns).fill(1),
    feedback: values(rows * (rows - 1) / 2),
  };
  const block = { start: 0, size: columns, feedback: values(columns * (columns - 1) / 2) };
  return [undefined, plain, { ...plain, columnBlocks: [block] }];
}

Deno.test("wherever the values and the indices of a matrix are, it is quantized to the same", async () => {
  using folder = new TemporaryFolder();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom([3, 2000], [70, 900], [900, 70], [2000, 3], [130, 130], [1, 5]),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 4000 }),
      fc.nat(1000),
      async ([rows, columns], transposed, inFile, blockValues, seed) => {
        const random = createRandom(seed);
        const count = rows! * columns!;
        const stored = toFloat32(
          "BF16",
          fromFloat32("BF16", Float32Array.from({ length: count }, () => 300 * random.normal())),
        );
        const shape = transposed ? [columns!, rows!] : [rows!, columns!];
        const tensor = inFile
          ? await copyToFile(
            await openSafetensors(memorySource(
              encodeSafetensors([
                { name: "w", dtype: "BF16", shape, bytes: fromFloat32("BF16", stored) },
              ]),
              "m",
            )),
            { name: "w", dtype: "BF16", shape },
            join(folder.path, "w"),
          )
          : holdAsStored({ dtype: "BF16", shape, data: stored });
        const named = { name: "w", rows: rows!, columns: columns! };
        const factors = {
          rows: Float64Array.from({ length: rows! }, () => 0.5 + random.uniform()),
          columns: Float64Array.from({ length: columns! }, () => 0.5 + random.uniform()),
        };
        const held = multiplied(
          heldMatrix(named, { stored: tensor.half!, transposed }),
          factors,
        );
        const data = transposed ? transpose(stored, columns!, rows!) : stored;
        const whole = { ...named, data: multiplied({ ...named, data }, factors).data };
        assert.deepEqual(held.data, whole.data);
        const blocks = () => matrixBlocks(held, blockValues);
        assert.deepEqual(
          fitScalesOfBlocks(blocks, rows!, columns!),
          fitRowColumnScales(whole.data, rows!, columns!),
        );
        if (!transposed) {
          assert.equal(typicalSquareOfParts(blocks), typicalSquare(whole.data));
        }
        const trellis = createTrellis(4);
        for (const metric of metrics(rows!, columns!, random)) {
          const expected = quantizeMatrix(trellis, { ...whole, ...(metric && { metric }) });
          const sent = { ...named, held: held.held!, ...(metric && { metric }) };
          assert.deepEqual(quantizeMatrix(trellis, sent), expected);
          const file = quantizeMatrix(trellis, sent, undefined, { file: join(folder.path, "i") });
          assert.ok("sha256" in file);
          assert.deepEqual(Int32Array.from(loadFileArray(file)), expected);
          assert.deepEqual(Int32Array.from(indexReader(file)(0, count)), expected);
        }
      },
    ),
    { numRuns: 25 },
  );
});
