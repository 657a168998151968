import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../data/input_error.ts";
import type { StateDict, WeightTensor } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import { memorySource } from "../data/memory_source.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import type { CompressorOptions } from "./compressor_options.ts";
import { openContainer } from "./file/container.ts";
import { weightsDigest } from "../data/weights_digest.ts";
import { reportContainer } from "./report.ts";
import { decompressWeights } from "./decompress.ts";
import type { TensorMetric, TensorMetrics } from "./metric/tensor_metric.ts";

const random = createRandom(11);

function tensor(shape: readonly number[], dtype: WeightTensor["dtype"] = "F32"): WeightTensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return { dtype, shape, data: Float32Array.from({ length }, () => random.normal() * 0.02) };
}

/** A small model with layers, norms, an integer buffer and a tied head. */
function smallModel(): Map<string, WeightTensor> {
  const embedding = tensor([96, 64]);
  return new Map([
    ["embed.weight", embedding],
    ...[0, 1, 2].flatMap((layer): [string, WeightTensor][] => [
      [`layers.${layer}.w`, tensor([128, 64])],
      [`layers.${layer}.norm`, tensor([64])],
    ]),
    ["position_ids", { dtype: "I64", shape: [1, 3], data: Float32Array.of(0, 1, 2) }],
    ["lm_head.weight", { ...embedding, data: embedding.data.slice() }],
  ]);
}

function relativeError(a: Float32Array, b: Float32Array): number {
  let error = 0, energy = 0;
  a.forEach((value, i) => {
    error += (value - b[i]!) ** 2;
    energy += value ** 2;
  });
  return error / energy;
}

Deno.test("compress() meets its rate over the whole file and restores every tensor", async () => {
  const model = smallModel();
  for (const bits of [3, 5]) {
    const { bytes, report } = await new HierarchicalCompressor({ bits }).compress(model);
    assert.equal(report.parameters, 96 * 64 + 3 * (128 * 64 + 64) + 3);
    assert.equal(report.compressedBytes, bytes.length);
    assert.ok(Math.abs(report.bitsPerWeight / bits - 1) < 0.005, `${report.bitsPerWeight}`);
    const restored = await decompressWeights(bytes);
    assert.deepEqual([...restored.keys()].sort(), [...model.keys()].sort());
    for (const [name, { dtype, shape, data }] of model) {
      assert.deepEqual(restored.get(name)!.shape, shape);
      assert.equal(restored.get(name)!.dtype, dtype);
      assert.ok(relativeError(data, restored.get(name)!.data) < 3 * 4 ** -(bits - 0.8), name);
    }
    assert.equal(restored.get("lm_head.weight")!.data, restored.get("embed.weight")!.data);
    assert.deepEqual([...restored.get("position_ids")!.data], [0, 1, 2]);
  }
});

/** Metrics for every matrix: correlated inputs and outputs of unequal weight. */
function smallMetrics(model: ReadonlyMap<string, WeightTensor>): TensorMetrics {
  const metrics = new Map<string, TensorMetric>();
  for (const [name, { shape, dtype }] of model) {
    if (shape.length !== 2 || dtype !== "F32") continue;
    const inputAxis = name.startsWith("layers.1") ? 0 : 1;
    const inputs = shape[inputAxis]!, outputs = shape[1 - inputAxis]!;
    const hessian = new Float64Array(inputs * inputs);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < inputs; j++) {
        hessian[i * inputs + j] = 0.8 ** Math.abs(i - j) * Math.sqrt((1 + i) * (1 + j));
      }
    }
    const fisher = Float64Array.from({ length: outputs }, (_, j) => 1 / (1 + j));
    metrics.set(name, { inputAxis, hessian, fisher });
  }
  return metrics;
}

Deno.test("the file records of which weights it is, whatever their order", async () => {
  const model = smallModel();
  const compressor = new HierarchicalCompressor({ bits: 4 });
  const recorded = async (weights: StateDict) =>
    (await openContainer(memorySource((await compressor.compress(weights)).bytes, "m")))
      .sourceSha256;
  const digest = await weightsDigest(model);
  assert.equal(await recorded(model), digest);
  assert.equal(await recorded(new Map([...model].reverse())), digest);
});

Deno.test("metrics spend bits where errors cost, on either axis", async () => {
  const model = smallModel(), metrics = smallMetrics(model);
  for (const rateWeight of [0, 0.1]) {
    const compressor = new HierarchicalCompressor({ bits: 4.5, rateWeight });
    const { bytes, report } = await compressor.compress(model, { metrics });
    assert.ok(Math.abs(report.bitsPerWeight / 4.5 - 1) < 0.005);
    const restored = await decompressWeights(bytes);
    const errorOf = (name: string, row: number) => {
      const { data, shape } = model.get(name)!, columns = shape[1]!;
      const part = (values: Float32Array) => values.subarray(row * columns, (row + 1) * columns);
      return relativeError(part(data), part(restored.get(name)!.data));
    };
    // Rows are outputs of falling weight here and inputs of rising second moment there.
    assert.ok(errorOf("layers.0.w", 0) * 10 < errorOf("layers.0.w", 127));
    assert.ok(errorOf("layers.1.w", 0) > 5 * errorOf("layers.1.w", 127));
  }
});

Deno.test("metrics of another shape or with NaN are refused with the tensor's name", async () => {
  const model = smallModel();
  const hessian = new Float64Array(64 * 64).fill(NaN);
  for (const metric of [{ inputAxis: 1, hessian }, { inputAxis: 0, hessian }] as const) {
    const compressing = new HierarchicalCompressor().compress(model, {
      metrics: new Map([["layers.0.w", metric]]),
    });
    await assert.rejects(compressing, /layers\.0\.w: its calibration/);
  }
});

Deno.test("the report accounts for every byte of the file", async () => {
  const { bytes, report } = await new HierarchicalCompressor().compress(smallModel());
  const levels = report.levels.reduce((sum, level) => sum + level.bytes, 0);
  assert.equal(levels + report.overhead.header + report.overhead.exact, bytes.length);
  const tensors = report.tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(Math.abs(tensors + report.overhead.header - bytes.length) < 8);
});

Deno.test("every preset round trips and repeats to the byte", async () => {
  const model = smallModel();
  for (const preset of ["rate", "seed", "hybrid"] as const) {
    const options = { preset, numLevels: 2, trainingSteps: 10, bits: 6, seed: 5 };
    if (preset === "seed") Reflect.deleteProperty(options, "bits");
    const first = await new HierarchicalCompressor(options).compress(model);
    const second = await new HierarchicalCompressor(options).compress(model);
    assert.deepEqual(first.bytes, second.bytes, preset);
    const restored = await decompressWeights(first);
    const error = relativeError(
      model.get("layers.1.w")!.data,
      restored.get("layers.1.w")!.data,
    );
    assert.ok(preset === "seed" ? error > 0.2 && error < 1.2 : error < 0.01, `${preset}: ${error}`);
  }
});

Deno.test("the report tells what each stage costs and saves", async () => {
  const model = smallModel();
  const options = { preset: "hybrid", numLevels: 2, trainingSteps: 10, bits: 7 } as const;
  const { bytes, report } = await new HierarchicalCompressor(options).compress(model);
  const [first, second] = report.stages;
  assert.equal(
    first!.bytes + second!.bytes,
    report.levels.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  // Independent weights: an autoencoder cannot save what it costs; the trellis saves about as much.
  assert.ok(first!.bitsSaved! < first!.bitsPerWeight);
  const gap = second!.bitsPerWeight - second!.bitsSaved!;
  assert.ok(Math.abs(gap) < 0.6, `${gap}`);
  const fromFile = await reportContainer(
    await openContainer(memorySource(bytes, "file")),
    bytes.length,
  );
  assert.ok(Math.abs(fromFile.stages[0]!.bitsSaved! - first!.bitsSaved!) < 0.01);
  assert.equal(fromFile.stages[1]!.bitsSaved, undefined);
});

Deno.test("the founding example's options mean the seed preset", async () => {
  const model = smallModel();
  const compressor = new HierarchicalCompressor({
    inputDim: 96 * 64 + 3 * (128 * 64 + 64) + 3,
    numLevels: 3,
    hiddenDims: [16, 8, 4],
    trainingSteps: 5,
  });
  const { report } = await compressor.compress(model);
  assert.deepEqual(
    report.levels.map(({ kind }) => kind),
    ["autoencoder", "autoencoder", "autoencoder", "field", "trellis"],
  );
});

Deno.test("losslessSmall keeps vectors to the bit", async () => {
  const model = smallModel();
  const norm = model.get("layers.0.norm")!.data;
  const kept = await new HierarchicalCompressor({ losslessSmall: true }).compress(model);
  assert.deepEqual((await decompressWeights(kept)).get("layers.0.norm")!.data, norm);
  const rounded = await new HierarchicalCompressor().compress(model);
  const data = (await decompressWeights(rounded)).get("layers.0.norm")!.data;
  assert.notDeepEqual(data, norm);
  assert.ok(relativeError(norm, data) < 1e-6);
});

Deno.test("degenerate tensors are coded: constants, zeros, single rows, outliers", async () => {
  const model: StateDict = new Map([
    ["zero", { dtype: "F32", shape: [40, 40], data: new Float32Array(1600) }],
    ["constant", { dtype: "F32", shape: [40, 40], data: new Float32Array(1600).fill(3) }],
    ["row", tensor([1, 50])],
    ["column", tensor([50, 1])],
    ["scalar", tensor([])],
    ["empty", tensor([0, 4])],
    ["outlier", {
      dtype: "F32",
      shape: [8, 8],
      data: tensor([64]).data.map((v, i) => i ? v : 200),
    }],
  ]);
  const restored = await decompressWeights(
    await new HierarchicalCompressor({ bits: 14 }).compress(model),
  );
  for (const [name, { data }] of model) {
    const other = restored.get(name)!.data;
    assert.equal(other.length, data.length);
    if (name !== "zero" && name !== "empty") assert.ok(relativeError(data, other) < 0.02, name);
  }
  assert.deepEqual(restored.get("zero")!.data, new Float32Array(1600));
});

Deno.test("a model without matrices meets its target or says that it cannot", async () => {
  const model = new Map([["norm", tensor([300])], ["bias", tensor([100])]]);
  const compress = async (options: CompressorOptions) =>
    (await new HierarchicalCompressor(options).compress(model)).bytes.length;
  for (const preset of ["rate", "hybrid", "seed"] as const) {
    await assert.rejects(
      compress({ preset, bits: 2 }),
      /^InputError: 100 bytes .* cannot be reached; .* for it has no matrices/,
    );
    assert.ok(await compress({ preset, bytes: 10_000 }) <= 10_000);
    assert.ok(await compress({ preset }) > 0, "without a target there is none to miss");
  }
});

Deno.test("a target in bytes is met, and excludes one in bits", async () => {
  const { bytes } = await new HierarchicalCompressor({ bytes: 15_000 }).compress(smallModel());
  assert.ok(Math.abs(bytes.length / 15_000 - 1) < 0.005, `${bytes.length}`);
  assert.throws(() => new HierarchicalCompressor({ bytes: 15_000, bits: 4 }), /give one target/);
  assert.throws(() => new HierarchicalCompressor({ bytes: NaN }), InputError);
});

Deno.test("bad weights and options are refused with the tensor's name", async () => {
  const model = smallModel();
  model.get("layers.2.w")!.data[7] = NaN;
  await assert.rejects(
    new HierarchicalCompressor().compress(model),
    (error) => error instanceof InputError && error.message.includes("layers.2.w"),
  );
  await assert.rejects(new HierarchicalCompressor().compress(new Map()), InputError);
  const sound = smallModel();
  await assert.rejects(new HierarchicalCompressor({ inputDim: 7 }).compress(sound), /inputDim/);
  await assert.rejects(new HierarchicalCompressor({ bits: 0.3 }).compress(sound), /smallest file/);
  const wrong = [
    ...[{ bits: NaN }, { numLevels: 0 }, { states: 3 }, { seed: 0.5 }],
    ...[{ rateWeight: -0.1 }, { rateWeight: NaN }],
  ];
  for (const options of wrong) {
    assert.throws(() => new HierarchicalCompressor(options), InputError);
  }
});

Deno.test("a damaged file is refused, whichever byte is hit", async () => {
  const { bytes } = await new HierarchicalCompressor().compress(smallModel(), {
    config: { model_type: "test" },
  });
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const damaged = bytes.slice();
      damaged[at] = damaged[at]! ^ (1 << bit);
      await assert.rejects(decompressWeights(damaged), InputError);
    }),
    { numRuns: 60 },
  );
  for (const length of [0, 7, 100, bytes.length - 1]) {
    await assert.rejects(decompressWeights(bytes.slice(0, length)), InputError);
  }
});

Deno.test("compress() stops when it is told to", async () => {
  const controller = new AbortController();
  const compressing = new HierarchicalCompressor({
    signal: controller.signal,
    onProgress: () => controller.abort(new Error("stopped")),
  }).compress(smallModel());
  await assert.rejects(compressing, /stopped/);
});
