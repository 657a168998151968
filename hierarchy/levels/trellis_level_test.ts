import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { putIntegers } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";
import { coefficientCount } from "../entropy/symbol_model.ts";
import { createFieldLevel, decodeField } from "./field_level.ts";
import type { EncodedLevel } from "./level.ts";
import type { Matrices } from "../matrix/matrix.ts";
import { decodeTrellis } from "./trellis_codec.ts";
import { createTrellisLevel } from "./trellis_level.ts";

const CONTEXT = { seed: 1 };

/** Gaussian matrices whose scale is separable over rows and columns. */
function gaussianMatrices(shapes: readonly (readonly [number, number])[], spread = 1): Matrices {
  const random = createRandom(4);
  return shapes.map(([rows, columns], i) => {
    const rowScales = Array.from({ length: rows }, () => 2 ** (spread * random.normal()));
    const columnScales = Array.from({ length: columns }, () => 2 ** (spread * random.normal()));
    const data = Float32Array.from(
      { length: rows * columns },
      (_, at) =>
        random.normal() * rowScales[Math.floor(at / columns)]! * columnScales[at % columns]!,
    );
    return { name: `matrix.${i}`, rows, columns, data };
  });
}

function byteLength({ streams }: EncodedLevel): number {
  return [...streams.values()].reduce((sum, stream) => sum + stream.length, 0);
}

function relativeError(matrices: Matrices, decoded: Matrices): number {
  let error = 0, energy = 0;
  matrices.forEach(({ data }, i) =>
    data.forEach((value, j) => {
      error += (value - decoded[i]!.data[j]!) ** 2;
      energy += value ** 2;
    })
  );
  return error / energy;
}

async function code(matrices: Matrices, step: number, states: number) {
  const field = await createFieldLevel({ step }).encode(matrices, CONTEXT);
  const trellis = await createTrellisLevel({ states }).encode(field.output, CONTEXT);
  const quotients = decodeTrellis(trellis.encoded, [], matrices);
  const decoded = decodeField(field.encoded, quotients, matrices);
  return { decoded, trellis: trellis.encoded, bytes: byteLength(trellis.encoded) };
}

Deno.test("field and trellis levels approach the rate-distortion bound of a Gaussian", async () => {
  const matrices = gaussianMatrices([[256, 256], [64, 512]], 0);
  const weights = 256 * 256 + 64 * 512;
  for (const [states, gap] of [[1, 0.295], [8, 0.15], [32, 0.12]] as const) {
    const { decoded, bytes } = await code(matrices, states === 1 ? 0.3 : 0.16, states);
    const distance = bytes * 8 / weights + 0.5 * Math.log2(relativeError(matrices, decoded));
    assert.ok(distance > 0 && distance < gap, `${states} states: ${distance} bits from the bound`);
  }
});

Deno.test("the scale field is worth the spread of the scales", async () => {
  const matrices = gaussianMatrices([[200, 300]], 0.7);
  const { decoded, bytes } = await code(matrices, 0.02, 1);
  let ideal = 0;
  const { rows, columns, data } = matrices[0]!;
  // High-rate entropy of a scalar quantizer: that of a Gaussian of each weight's own scale.
  const quantum = Math.sqrt(12 * relativeError(matrices, decoded) * meanSquare(data));
  const field = createRandom(4);
  const rowScales = Array.from({ length: rows }, () => 2 ** (0.7 * field.normal()));
  const columnScales = Array.from({ length: columns }, () => 2 ** (0.7 * field.normal()));
  for (const row of rowScales) {
    for (const column of columnScales) {
      ideal += Math.log2(Math.sqrt(2 * Math.PI * Math.E) * row * column / quantum);
    }
  }
  assert.ok(bytes * 8 < ideal * 1.03, `${bytes * 8} bits against ${ideal}`);
});

function meanSquare(data: Float32Array): number {
  return data.reduce((sum, value) => sum + value * value, 0) / data.length;
}

Deno.test("passes under the rate term bring the code nearer to the bound", async () => {
  const matrices = gaussianMatrices([[256, 512]], 0);
  const gaps: number[] = [];
  for (const ratePasses of [0, 2, 8]) {
    const rateWeight = ratePasses === 0 ? 0 : 0.42;
    const level = createTrellisLevel({ states: 8, rateWeight, ratePasses });
    const scaled = matrices.map((matrix) => ({
      ...matrix,
      data: matrix.data.map((v) => v / 0.54),
    }));
    const { encoded } = await level.encode(scaled, CONTEXT);
    const bits = 8 * byteLength(encoded) / (256 * 512);
    const error = relativeError(scaled, decodeTrellis(encoded, [], scaled));
    gaps.push(bits + 0.5 * Math.log2(error));
  }
  const [none, two, eight] = gaps as [number, number, number];
  assert.ok(two < none - 0.02 && eight < two - 0.01, `gaps of ${gaps} bits`);
});

Deno.test("every value decodes to within the trellis' reach, for any shape and outlier", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 20 }),
      fc.constantFrom(1, 8),
      fc.array(fc.float({ min: -1e4, max: 1e4, noNaN: true }), { minLength: 1, maxLength: 9 }),
      async (rows, columns, states, values) => {
        const data = Float32Array.from(
          { length: rows * columns },
          (_, i) => values[i % values.length]!,
        );
        const matrices = [{ name: "w", rows, columns, data }];
        const { decoded } = await code(matrices, 0.1, states);
        const scale = Math.sqrt(meanSquare(data));
        decoded[0]!.data.forEach((value, i) =>
          assert.ok(Math.abs(value - data[i]!) <= 0.5 * scale + 1e-6, `${value} for ${data[i]}`)
        );
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("encoding repeats to the byte, and long matrices are cut into segments", async () => {
  const matrices = gaussianMatrices([[1200, 1000]]);
  const first = await code(matrices, 0.5, 4), second = await code(matrices, 0.5, 4);
  assert.deepEqual(first.trellis, second.trellis);
  assert.deepEqual([...first.trellis.streams.keys()], ["fields", "codes.0", "codes.1", "codes.2"]);
});

Deno.test("damaged code streams are reported, not decoded", async () => {
  const matrices = gaussianMatrices([[64, 64]]);
  const { trellis } = await code(matrices, 0.2, 8);
  const streams = new Map(trellis.streams);
  streams.set("codes.0", streams.get("codes.0")!.slice(0, -40));
  assert.throws(() => decodeTrellis({ ...trellis, streams }, [], matrices), /does not decode/);
  streams.delete("codes.0");
  assert.throws(
    () => decodeTrellis({ ...trellis, streams }, [], matrices),
    /stream "codes.0" is missing/,
  );

  const side = new RansEncoder();
  putIntegers(side, new Int32Array(coefficientCount(2)));
  putIntegers(side, new Int32Array(64).fill(2 ** 15));
  streams.set("fields", side.finish());
  assert.throws(() => decodeTrellis({ ...trellis, streams }, [], matrices), /not within ±16383/);
});
