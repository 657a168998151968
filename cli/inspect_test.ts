import assert from "node:assert";
import { join } from "node:path";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { type CompressionReport, HierarchicalCompressor } from "../hierarchy/mod.ts";
import { inspect, inspectionText } from "./inspect.ts";
import { recordedRun } from "./testdata/recorded_run.ts";

const weights = new Map([["w", {
  dtype: "F32" as const,
  shape: [64, 64],
  data: Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i)),
}]]);

Deno.test("inspect accounts for every byte of a file, as JSON and as text", async () => {
  using folder = new TemporaryFolder();
  const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
  const file = join(folder.path, "w.kan.safetensors");
  await Deno.writeFile(file, bytes);
  const run = recordedRun();
  await inspect(file, { json: true }, run);
  const fields = JSON.parse(run.printed.join());
  const levels: number = fields.levels.reduce(
    (sum: number, level: { bytes: number }) => sum + level.bytes,
    0,
  );
  assert.equal(levels + fields.overhead.header + fields.overhead.exact, bytes.length);
  const plain = recordedRun();
  await inspect(folder.path, {}, plain);
  assert.match(plain.printed.join(), /4,096 parameters in .* bits per weight/);
  assert.match(plain.printed.join(), /^w +64×64 +[\d,]+ +\d\.\d\d +\d+\.\d %$/m);
  const plot = join(folder.path, "bits.json");
  await inspect(file, { plot }, recordedRun());
  const figure = JSON.parse(await Deno.readTextFile(plot));
  assert.deepEqual(figure.data[0].y, [fields.tensors[0].bitsPerWeight, figure.data[0].y[0]]);
});

Deno.test("levels that repeat are counted, and energies shown", () => {
  const kinds = ["autoencoder", "autoencoder", "field", "trellis"];
  const report: CompressionReport = {
    parameters: 1000,
    originalBytes: 2000,
    originalDtype: "F32",
    compressedBytes: 100,
    bitsPerWeight: 0.8,
    overhead: { header: 20, exact: 0 },
    stages: [{ bytes: 80, bitsPerWeight: 0.64, bitsSaved: 0.5 }],
    levels: [{ stage: 0, kind: "autoencoder", bytes: 80, bitsPerWeight: 0.64, energyLeft: 0.25 }],
    tensors: [{
      name: "w",
      shape: [10, 100],
      dtype: "F16",
      levels: kinds,
      bytes: 80,
      bitsPerWeight: 0.64,
      share: 0.8,
    }],
  };
  const text = inspectionText("a.kan.safetensors", "hf://owner/name", report);
  assert.match(text, /^a\.kan\.safetensors, made from hf:\/\/owner\/name\n/);
  assert.match(text, /^1 +autoencoder +80 +0\.640 +80\.0 % +25\.0 %$/m);
  assert.doesNotMatch(text, /2 × autoencoder/);
  const mixed = [...report.tensors, { ...report.tensors[0]!, name: "v", levels: ["field"] }];
  const both = inspectionText("a", undefined, { ...report, tensors: mixed });
  assert.match(both, /2 × autoencoder > field > trellis$/m);
  assert.match(text, /^stage 1 takes 0\.64 bits per weight and saves the rest 0\.50 bits$/m);
});
