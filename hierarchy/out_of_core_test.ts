import assert from "node:assert";
import { join } from "node:path";
import fc from "fast-check";
import { fromFloat32 } from "../data/from_float32.ts";
import { memorySource } from "../data/memory_source.ts";
import { openFile } from "../data/file_source.ts";
import { encodeSafetensors } from "../data/safetensors_encode.ts";
import { openSafetensors } from "../data/safetensors_file.ts";
import type { StateDict } from "../data/tensor.ts";
import { copyToFile } from "../data/tensor_file.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { containerPieces } from "./container_pieces.ts";
import { decodeContainer } from "./decode_container.ts";
import { openContainer } from "./file/container.ts";

const SHAPES = { embedding: [2000, 300], wide: [40, 900], small: [24, 40], norm: [300] };

/** Random weights in BF16: in memory, and in files of a folder. */
async function randomWeights(folder: string): Promise<{ inMemory: StateDict; inFiles: StateDict }> {
  const random = createRandom(1);
  const tensors = Object.entries(SHAPES).map(([name, shape]) => {
    const values = { length: shape.reduce((a, b) => a * b) };
    const bytes = fromFloat32("BF16", Float32Array.from(values, () => random.normal()));
    return { name, dtype: "BF16" as const, shape, bytes };
  });
  const source = await openSafetensors(memorySource(encodeSafetensors(tensors), "m"));
  const inMemory = new Map(), inFiles = new Map();
  for (const info of source.tensors) {
    inMemory.set(info.name, await source.read(info.name));
    inFiles.set(info.name, await copyToFile(source, info, join(folder, info.name)));
  }
  return { inMemory, inFiles };
}

const hessian = (size: number) =>
  Float64Array.from({ length: size * size }, (_, i) => i % (size + 1) === 0 ? 1 : 0.1);

for (const isCalibrated of [false, true]) {
  const name = isCalibrated ? "calibrated" : "without calibration";
  Deno.test(`a model out of core has the bytes of one in memory, ${name}`, async () => {
    using folder = new TemporaryFolder();
    const { inMemory, inFiles } = await randomWeights(folder.path);
    const metrics = new Map(
      isCalibrated ? [["embedding", { inputAxis: 1 as const, hessian: hessian(300) }]] : [],
    );
    const compress = async (weights: StateDict, scratchFolder?: string) =>
      await new HierarchicalCompressor({ bits: 3, ...(scratchFolder && { scratchFolder }) })
        .compress(weights, { metrics });
    const whole = await compress(inMemory), cut = await compress(inFiles, folder.path);
    assert.deepEqual(cut.bytes, whole.bytes);
    assert.deepEqual(joined(cut.pieces!()), whole.bytes);
    assert.deepEqual(cut.report.tensors, whole.report.tensors);

    const path = join(folder.path, "model.kan.safetensors");
    await Deno.writeFile(path, whole.bytes);
    const expected = await decodeContainer(await openContainer(memorySource(whole.bytes, "m")));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 50_000, max: 700_000 }), async (blockValues) => {
        const container = await openContainer(await openFile(path), { mostInMemory: 0 });
        const pieces = containerPieces(container, { blockValues });
        for (const [tensor, { data }] of expected) {
          const found: Float32Array[] = [];
          for await (const piece of pieces(tensor)) found.push(piece);
          const bytes = found.map(({ buffer }) => new Uint8Array(buffer));
          assert.deepEqual(new Float32Array(joined(bytes).buffer), data, tensor);
        }
      }),
      { numRuns: 4, examples: [[90_000]] },
    );
  });
}

Deno.test("a stream that changes in its file after it was checked is not decoded", async () => {
  using folder = new TemporaryFolder();
  const { inMemory } = await randomWeights(folder.path);
  const { bytes } = await new HierarchicalCompressor({ bits: 3 }).compress(inMemory);
  const path = join(folder.path, "model.kan.safetensors");
  await Deno.writeFile(path, bytes);
  const container = await openContainer(await openFile(path), { mostInMemory: 0 });
  const changed = bytes.slice();
  changed[changed.length - 1]! ^= 1;
  await Deno.writeFile(path, changed);
  await assert.rejects(decodeContainer(container), {
    name: "InputError",
    message: /model\.kan\.safetensors: was changed while it was being read; start again/,
  });
});

function joined(parts: Iterable<Uint8Array>): Uint8Array {
  const all = [...parts];
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of all) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
