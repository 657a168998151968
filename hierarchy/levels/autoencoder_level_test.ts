import * as tf from "@tensorflow/tfjs";
import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { autoencoderCodec, decodeAutoencoder } from "./autoencoder_codec.ts";
import { createAutoencoderLevel, createAutoencoderLevels } from "./autoencoder_level.ts";
import type { EncodedLevel } from "./level.ts";
import type { Matrices, Matrix } from "../matrix/matrix.ts";

function matrixOf(rows: number, columns: number, value: (row: number, column: number) => number) {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) data[i * columns + j] = value(i, j);
  }
  return { name: `${rows} by ${columns}`, rows, columns, data };
}

function gaussianMatrix(rows: number, columns: number, seed: number, scale = 1): Matrix {
  const random = createRandom(seed);
  return matrixOf(rows, columns, () => scale * random.normal());
}

/** Share of the energy that is missed, each matrix in units of its root mean square. */
function energyLeft(matrices: Matrices, decoded: Matrices): number {
  let missed = 0, values = 0;
  matrices.forEach(({ data }, i) => {
    const energy = data.reduce((sum, value) => sum + value * value, 0);
    if (energy === 0) return;
    const error = data.reduce((sum, value, j) => sum + (value - decoded[i]!.data[j]!) ** 2, 0);
    missed += error / energy * data.length;
    values += data.length;
  });
  return missed / values;
}

const shapesOf = (matrices: Matrices) =>
  matrices.map(({ name, rows, columns }) => ({ name, rows, columns }));

Deno.test("blocks of low rank are learned, and the decoder gives what the encoder reports", async () => {
  const random = createRandom(2);
  const atoms = Array.from({ length: 3 }, () => gaussianMatrix(1, 16, random.integer(1e6)).data);
  const mixture = () => {
    const weights = atoms.map(() => random.normal());
    return atoms[0]!.map((_, j) => atoms.reduce((sum, atom, k) => sum + weights[k]! * atom[j]!, 0));
  };
  const rows = Array.from({ length: 600 }, mixture);
  const matrices = [matrixOf(600, 16, (i, j) => 0.02 * rows[i]![j]!)];
  const level = createAutoencoderLevel({ hiddenDim: 3, blockSize: 16, steps: 250 });
  const { encoded, output } = await level.encode(matrices, { seed: 5 });
  const decoded = decodeAutoencoder(encoded, output, shapesOf(matrices));
  assert.deepEqual(shapesOf(output), autoencoderCodec.outputShapes(encoded, shapesOf(matrices)));
  const left = energyLeft(matrices, decoded);
  assert.ok(left < 0.05, `${left} of the energy is left`);
  assert.ok(Math.abs(left - Number(encoded.parameters.energyLeft)) < 1e-4);
});

Deno.test("a curved set of blocks is learned better than any linear map could", async () => {
  const random = createRandom(3);
  const matrices = [matrixOf(1500, 4, () => 0)];
  for (let i = 0; i < 1500; i++) {
    const t = 2 * random.uniform() - 1;
    matrices[0]!.data.set([t, Math.cos(3 * t), Math.sin(3 * t), Math.abs(t)], 4 * i);
  }
  const options = { hiddenDim: 1, blockSize: 4, steps: 400, learningRate: 0.02, intervals: 8 };
  const { encoded } = await createAutoencoderLevel(options).encode(matrices, { seed: 1 });
  const linear = 1 - largestEigenvalueShare(matrices[0]!);
  const left = Number(encoded.parameters.energyLeft);
  assert.ok(left < 0.3 * linear, `${left} of the energy is left; a linear map leaves ${linear}`);
});

/** Energy along the first principal axis of the rows (power iteration), relative to all. */
function largestEigenvalueShare({ data, rows, columns }: Matrix): number {
  let axis = new Float64Array(columns).fill(1);
  let captured = 0;
  for (let round = 0; round < 200; round++) {
    const next = new Float64Array(columns);
    captured = 0;
    for (let i = 0; i < rows; i++) {
      let dot = 0;
      for (let j = 0; j < columns; j++) dot += data[i * columns + j]! * axis[j]!;
      captured += dot * dot;
      for (let j = 0; j < columns; j++) next[j]! += dot * data[i * columns + j]!;
    }
    const norm = Math.sqrt(next.reduce((sum, value) => sum + value * value, 0));
    axis = next.map((value) => value / norm);
  }
  return captured / data.reduce((sum, value) => sum + value * value, 0);
}

Deno.test("of independent weights, half the latents leave about half of the energy", async () => {
  const matrices = [gaussianMatrix(1024, 64, 1)];
  const level = createAutoencoderLevel({ hiddenDim: 16, steps: 100 });
  const { encoded } = await level.encode(matrices, { seed: 1 });
  const left = Number(encoded.parameters.energyLeft);
  assert.ok(left > 0.42 && left < 0.52, `${left} of the energy is left`);
});

/** Encodes by every level in turn and decodes again from copies of what would be in a file. */
async function roundTrip(matrices: Matrices, hiddenDims: readonly number[], seed: number) {
  const encoded: EncodedLevel[] = [];
  let left = matrices;
  for (const level of createAutoencoderLevels({ hiddenDims, steps: 3, batchSize: 8 })) {
    const result = await level.encode(left, { seed });
    encoded.push(result.encoded);
    left = result.output;
  }
  const shapes = [shapesOf(matrices)];
  for (const level of encoded) {
    shapes.push([...autoencoderCodec.outputShapes(level, shapes.at(-1)!)]);
  }
  assert.deepEqual(shapesOf(left), shapes.at(-1));
  const decoded = encoded.reduceRight<Matrices>((output, level, i) => {
    const read = { ...level, parameters: JSON.parse(JSON.stringify(level.parameters)) };
    return decodeAutoencoder(read, output, shapes[i]!);
  }, left);
  return { encoded, decoded, latent: left };
}

Deno.test("nested levels take matrices of any shape, and repeat to the byte", async () => {
  const side = fc.integer({ min: 0, max: 12 });
  const shapes = fc.array(fc.tuple(side, side), { maxLength: 4 });
  const widths = fc.constantFrom([2], [4, 3], [6, 2, 1]);
  await fc.assert(
    fc.asyncProperty(shapes, widths, fc.nat(1000), async (sides, hiddenDims, seed) => {
      const matrices = sides.map(([rows, columns], i) =>
        gaussianMatrix(rows, columns, i + seed, 10 ** (i - 2))
      );
      const first = await roundTrip(matrices, hiddenDims, seed);
      assert.deepEqual(first, await roundTrip(matrices, hiddenDims, seed));
      first.decoded.forEach(({ data }) => assert.ok(data.every(Number.isFinite)));
      assert.deepEqual(shapesOf(first.decoded), shapesOf(matrices));
    }),
    { numRuns: 12 },
  );
});

Deno.test("zero matrices come back as zeros, alone or among others", async () => {
  const zero = matrixOf(5, 7, () => 0);
  const alone = await roundTrip([zero], [4, 2], 1);
  assert.deepEqual(alone.decoded[0]!.data, zero.data);
  assert.deepEqual(alone.latent, []);
  const among = await roundTrip([gaussianMatrix(9, 9, 1), zero, gaussianMatrix(3, 3, 2)], [4], 1);
  assert.deepEqual(among.decoded[1]!.data, zero.data);
});

Deno.test("an outlier of ten thousand deviations bounds no other weight's error", async () => {
  const matrix = gaussianMatrix(40, 40, 1);
  matrix.data[77] = 1e4;
  const { decoded } = await roundTrip([matrix], [8], 1);
  assert.ok(decoded[0]!.data.every((value) => Math.abs(value) < 2e4));
});

Deno.test("training keeps no tensors, restores the backend, and reports its progress", async () => {
  await tf.setBackend("cpu");
  const { numTensors } = tf.memory();
  const shares: number[] = [];
  const level = createAutoencoderLevel({ hiddenDim: 2, steps: 20 });
  const onProgress = (share: number) => shares.push(share);
  await level.encode([gaussianMatrix(20, 20, 1)], { seed: 1, onProgress });
  assert.equal(tf.getBackend(), "cpu");
  assert.equal(tf.memory().numTensors, numTensors);
  assert.deepEqual(shares, shares.toSorted((a, b) => a - b));
  assert.equal(shares.at(-1), 1);
});

Deno.test("an aborted training stops with the matrices's reason", async () => {
  const controller = new AbortController();
  const level = createAutoencoderLevel({ hiddenDim: 2, steps: 10_000 });
  const work = level.encode([gaussianMatrix(20, 20, 1)], {
    seed: 1,
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("enough")),
  });
  await assert.rejects(work, /enough/);
});

Deno.test("damaged levels and settings out of range are reported in one line", async () => {
  const matrices = [gaussianMatrix(8, 8, 1)];
  const level = createAutoencoderLevel({ hiddenDim: 4, steps: 2 });
  const { encoded, output } = await level.encode(matrices, { seed: 1 });
  const shapes = shapesOf(matrices);
  const cut = new Map([["decoder", encoded.streams.get("decoder")!.slice(0, -8)]]);
  const parameters = { ...encoded.parameters, hiddenDim: -1 };
  const message = /^autoencoder level: [^\n]+; the file is damaged/;
  for (
    const [broken, latent] of [
      [{ ...encoded, streams: cut }, output],
      [{ ...encoded, streams: new Map() }, output],
      [{ ...encoded, parameters }, output],
      [{ ...encoded, parameters: { ...encoded.parameters, range: 0 } }, output],
      [encoded, []],
    ] as const
  ) {
    assert.throws(() => decodeAutoencoder(broken, latent, shapes), {
      name: "InputError",
      message,
    });
  }
  for (const options of [{ hiddenDim: 0 }, { hiddenDim: 2, intervals: 0.5 }]) {
    assert.throws(() => createAutoencoderLevel(options), { name: "InputError" });
  }
  assert.throws(() => createAutoencoderLevels({ hiddenDims: [] }), { name: "InputError" });
});
