import assert from "node:assert";
import type { WeightTensor } from "../data/tensor.ts";
import { createRandom } from "../kan/numeric/random.ts";
import type { CompressedModel } from "./compress_weights.ts";
import { HierarchicalCompressor } from "./compressor.ts";
import { decompressWeights } from "./decompress.ts";
import type { TensorMetric, TensorMetrics } from "./metric/tensor_metric.ts";

const ROWS = 48, COLUMNS = 40, DEVIATION = 0.02;
const random = createRandom(17);

function matrix(change: (values: Float32Array) => void = () => {}): WeightTensor {
  const data = Float32Array.from({ length: ROWS * COLUMNS }, () => DEVIATION * random.normal());
  change(data);
  return { dtype: "F32", shape: [ROWS, COLUMNS], data };
}

/** Metrics for every matrix; `change` spoils the second moment or the Fisher information. */
function metricsOf(
  model: ReadonlyMap<string, WeightTensor>,
  change: (metric: TensorMetric) => void = () => {},
): TensorMetrics {
  const metrics = new Map<string, TensorMetric>();
  for (const [name, { shape: [rows, columns = 1] }] of model) {
    const hessian = new Float64Array(columns * columns);
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < columns; j++) hessian[i * columns + j] = 0.9 ** Math.abs(i - j);
    }
    const metric = { inputAxis: 1, hessian, fisher: new Float64Array(rows!).fill(2) } as const;
    change(metric);
    metrics.set(name, metric);
  }
  return metrics;
}

/** Squared error as a share of the energy. */
function relativeError(tensor: WeightTensor, restored: Float32Array): number {
  let error = 0, energy = 0;
  tensor.data.forEach((value, i) => {
    error += (value - restored[i]!) ** 2;
    energy += value ** 2;
  });
  return energy === 0 ? error : error / energy;
}

/** Compresses with and without metrics and checks the size and that errors are bounded. */
async function compressBoth(
  model: ReadonlyMap<string, WeightTensor>,
  check: (restored: ReadonlyMap<string, WeightTensor>, how: string) => void,
  spoil?: (metric: TensorMetric) => void,
): Promise<void> {
  const runs: [string, number, () => Promise<CompressedModel>][] = [];
  for (const preset of ["rate", "hybrid"] as const) {
    // The decoder of a hybrid takes more bits than so small a model is worth.
    const bits = preset === "rate" ? 6 : 16;
    const options = { preset, effort: "fast", bits, numLevels: 1, trainingSteps: 5 } as const;
    for (const metrics of [new Map<string, TensorMetric>(), metricsOf(model, spoil)]) {
      const compressor = new HierarchicalCompressor(options);
      runs.push([
        `${preset}, ${metrics.size} metrics`,
        bits,
        () => compressor.compress(model, { metrics }),
      ]);
    }
  }
  for (const [how, bits, run] of runs) {
    const { bytes, report: { bitsPerWeight } } = await run();
    assert.ok(bitsPerWeight <= bits && bitsPerWeight > 0.99 * bits, `${how}: ${bitsPerWeight}`);
    const restored = await decompressWeights(bytes);
    for (const [name, tensor] of model) {
      const { data } = restored.get(name)!;
      assert.ok(data.every(Number.isFinite), `${how}: ${name}`);
      assert.ok(relativeError(tensor, data) < 1.001, `${how}: ${name}`);
    }
    check(restored, how);
  }
}

/** Sound matrices beside which a bad one stands. */
function soundModel(): Map<string, WeightTensor> {
  return new Map([["a", matrix()], ["b", matrix()]]);
}

Deno.test("constant and zero matrices are coded beside others and do not spoil them", async () => {
  const model = soundModel();
  const fill = (value: number) => matrix((values) => values.fill(value));
  model.set("zero", fill(0)).set("constant", fill(0.37)).set("tiny", fill(1e-30));
  await compressBoth(model, (restored, how) => {
    assert.deepEqual(restored.get("zero")!.data, model.get("zero")!.data);
    const error = (name: string) => relativeError(model.get(name)!, restored.get(name)!.data);
    assert.ok(error("constant") < 0.01, `${how}: ${error("constant")}`);
    assert.ok(error("a") < 0.01, `${how}: ${error("a")}`);
  });
});

Deno.test("matrices of one row or column are kept as they are", async () => {
  const model = soundModel();
  const row = Float32Array.from({ length: 30 }, () => random.normal());
  model.set("row", { dtype: "F32", shape: [1, 30], data: row });
  model.set("column", { dtype: "F32", shape: [30, 1], data: row.slice().reverse() });
  await compressBoth(model, (restored, how) => {
    for (const name of ["row", "column"]) {
      assert.ok(relativeError(model.get(name)!, restored.get(name)!.data) < 1e-6, how);
      assert.deepEqual(restored.get(name)!.shape, model.get(name)!.shape);
    }
  });
});

Deno.test("outliers of 10,000 standard deviations come back, and the others stay", async () => {
  const model = soundModel();
  const outlier = 1e4 * DEVIATION;
  model.set("outlier", matrix((values) => values[321] = outlier));
  model.set("row", matrix((values) => values.fill(outlier, 5 * COLUMNS, 6 * COLUMNS)));
  await compressBoth(model, (restored, how) => {
    const { data } = restored.get("outlier")!;
    assert.ok(Math.abs(data[321]! / outlier - 1) < 0.01, `${how}: ${data[321]}`);
    for (const name of ["a", "b"]) {
      const error = relativeError(model.get(name)!, restored.get(name)!.data);
      assert.ok(error < 0.05, `${how}: ${name} ${error}`);
    }
    if (!how.startsWith("rate")) return;
    // Steps do not depend on the outlier, so its neighbours keep their values.
    const { data: original } = model.get("outlier")!;
    const others = original.map((value, i) => i === 321 ? 0 : value);
    const rest = { ...model.get("outlier")!, data: others };
    const error = relativeError(rest, data.map((value, i) => i === 321 ? 0 : value));
    assert.ok(error < 0.05, `${how}: ${error}`);
  });
});

Deno.test("a second moment of low rank, of zeros or with dead inputs works", async () => {
  for (
    const spoil of [
      ({ hessian }: TensorMetric) => hessian.fill(0),
      ({ hessian }: TensorMetric) => hessian.fill(1),
      ({ hessian, fisher }: TensorMetric) => {
        for (let i = 0; i < COLUMNS; i++) hessian[i] = hessian[i * COLUMNS] = 0;
        fisher!.fill(0, 3);
      },
      ({ hessian, fisher }: TensorMetric) => {
        hessian.forEach((value, i) => hessian[i] = 1e30 * value);
        fisher!.fill(1e-30);
      },
    ]
  ) {
    await compressBoth(soundModel(), () => {}, spoil);
  }
});

Deno.test("metrics with NaN or infinity are refused with the tensor's name", async () => {
  const model = soundModel();
  for (const value of [NaN, Infinity]) {
    for (const part of ["hessian", "fisher"] as const) {
      const metrics = metricsOf(model, (metric) => metric[part]![7] = value);
      await assert.rejects(
        new HierarchicalCompressor().compress(model, { metrics }),
        /^InputError: a: its calibration has NaN or infinite values; calibrate again/,
      );
    }
  }
});

Deno.test("a target below what the format can reach ends with the smallest that can be", async () => {
  const model = soundModel();
  const smallest = async (metrics: TensorMetrics) => {
    const compressing = new HierarchicalCompressor({ bits: 0.1 }).compress(model, { metrics });
    let message = "";
    await assert.rejects(compressing, (error: Error) => (message = error.message, true));
    const found = /the smallest file of this model has (\d+) bytes \((\S+) bits\)/.exec(message);
    assert.ok(found !== null, message);
    const [, bytes, bits] = found.map(Number);
    assert.ok(Math.abs(8 * bytes! / (2 * ROWS * COLUMNS) - bits!) < 1e-3);
    return bytes!;
  };
  // How much moments are damped follows from the target, and the size of the fields from that.
  for (const [metrics, slack] of [[new Map(), 0], [metricsOf(model), 0.05]] as const) {
    const bytes = await smallest(metrics);
    const enough = Math.ceil(bytes * (1 + slack)), tooFew = Math.floor(bytes * (1 - slack)) - 1;
    const compressed = await new HierarchicalCompressor({ bytes: enough }).compress(model, {
      metrics,
    });
    assert.ok(compressed.bytes.length <= enough);
    const below = new HierarchicalCompressor({ bytes: tooFew }).compress(model, { metrics });
    await assert.rejects(below, /cannot be reached/);
  }
});
