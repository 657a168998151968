/**
 * Writes golden files, and what they decode to, into the folder `golden`: those that are missing there.
 * Run by hand, where one is added or, with the old ones removed and FORMAT_VERSION raised, where the
 * format changes:
 *
 *     deno run --allow-read --allow-write hierarchy/testdata/make_golden_files.ts
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fromFloat32 } from "../../data/from_float32.ts";
import { memorySource } from "../../data/memory_source.ts";
import { type DType, elementCount, type WeightTensor } from "../../data/tensor.ts";
import { toFloat32 } from "../../data/to_float32.ts";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import { HierarchicalCompressor } from "../compressor.ts";
import type { CompressorOptions } from "../compressor_options.ts";
import { encodeContainer, openContainer } from "../file/container.ts";
import { type TensorGains, withGains, withVerbatim } from "../gains.ts";
import { decompressWeights } from "../decompress.ts";
import { levelShapes } from "../levels/level_codecs.ts";
import { decodeIndices } from "../levels/trellis_codec.ts";
import type { TensorMetric, TensorMetrics } from "../metric/tensor_metric.ts";
import { codedShapes } from "../file/plan_tensors.ts";
import { DIGESTS_PATH, digestsOf, goldenPath } from "./golden_files.ts";

type Weights = Map<string, WeightTensor>;

/** Largest golden file. */
const MOST_BYTES = 10_000;

/** Values of an element type: rounded to it, since models hold what it can. */
function tensor(
  dtype: DType,
  shape: readonly number[],
  valueAt: (index: number) => number,
): WeightTensor {
  const values = Float32Array.from({ length: elementCount(shape) }, (_, i) => valueAt(i));
  return { dtype, shape, data: toFloat32(dtype, fromFloat32(dtype, values)) };
}

/** A model in small: odd shapes, unequal rows and columns, and all that tensors can be. */
function smallModel(random: Random): Weights {
  /** Normal weights whose rows and columns differ in scale, and one far out. */
  const matrix = (dtype: DType, rows: number, columns: number) =>
    tensor(dtype, [rows, columns], (i) => {
      const scale = 2 ** (Math.sin(Math.floor(i / columns)) + Math.cos(3 * (i % columns)));
      return i === 77 ? 1.5 : 0.02 * scale * random.normal();
    });
  const embedding = matrix("F32", 61, 24);
  return new Map<string, WeightTensor>([
    ["embed.weight", embedding],
    ...[0, 1].flatMap((layer): [string, WeightTensor][] => [
      [`layers.${layer}.attention.weight`, matrix("BF16", 37, 24)],
      [`layers.${layer}.up.weight`, matrix("F16", 24, 31)],
      [`layers.${layer}.norm.weight`, tensor("F32", [24], () => 1 + 0.1 * random.normal())],
      [`layers.${layer}.up.bias`, tensor("BF16", [31], () => 0.1 * random.normal())],
    ]),
    ["convolution.weight", tensor("F64", [5, 7, 3], () => random.normal())],
    // Rows that fade: what is stored of them is predicted from the ones before.
    ["tall.weight", tensor("F32", [90, 4], (i) => 2 ** (-i / 20) * random.normal())],
    ["constant.weight", tensor("F32", [9, 8], () => 3)],
    ["zero.weight", tensor("F16", [8, 9], () => 0)],
    ["large.bias", tensor("F32", [3], (i) => 1e6 * (i + 0.1))],
    ["byte.scale", tensor("F8_E4M3", [1, 6], () => random.normal())],
    ["scalar", tensor("F16", [], () => -0.75)],
    ["empty", tensor("F32", [0, 4], () => 0)],
    ["position_ids", tensor("I64", [1, 5], (i) => i)],
    ["mask", tensor("BOOL", [2, 3], (i) => i % 2)],
    ["lm_head.weight", { ...embedding, data: embedding.data.slice() }],
  ]);
}

/** Correlated inputs and outputs of unequal weight for the layers, some of them transposed. */
function smallMetrics(weights: Weights): TensorMetrics {
  const metrics = new Map<string, TensorMetric>();
  for (const [name, { shape }] of weights) {
    if (!/attention|up.weight/.test(name)) continue;
    const inputAxis = name.includes("up") ? 0 : 1;
    const inputs = shape[inputAxis]!, outputs = shape[1 - inputAxis]!;
    const hessian = new Float64Array(inputs * inputs);
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < inputs; j++) {
        // The last inputs matter so much that their weights have large indices.
        const sizes = (1 + i) * (1 + j) * 4 ** (Math.max(0, i - 20) + Math.max(0, j - 20));
        hessian[i * inputs + j] = 0.7 ** Math.abs(i - j) * sizes;
      }
    }
    const fisher = Float64Array.from({ length: outputs }, (_, j) => 4 / (1 + j));
    metrics.set(name, { inputAxis, hessian, fisher });
  }
  return metrics;
}

/** A matrix of several pieces, nearly all zeros, and a second one that continues its segment. */
function longModel(random: Random): { weights: Weights; metrics: TensorMetrics } {
  const sparse = tensor("F32", [1100, 500], (i) => i % 9973 === 7 ? random.normal() : 0);
  const hessian = new Float64Array(500 * 500);
  for (let i = 0; i < 500; i++) hessian[501 * i] = 1;
  return {
    weights: new Map([
      ["sparse.weight", sparse],
      ["dense.weight", tensor("F32", [21, 40], () => random.normal())],
    ]),
    metrics: new Map([["sparse.weight", { inputAxis: 1, hessian }]]),
  };
}

async function write(
  name: string,
  options: CompressorOptions,
  weights: Weights,
  metrics: TensorMetrics,
  change: (bytes: Uint8Array) => Promise<Uint8Array> = (bytes) => Promise.resolve(bytes),
) {
  if (!existsSync(goldenPath(name))) {
    const compressor = new HierarchicalCompressor({ seed: 3, ...options });
    const compressed = await compressor.compress(weights, {
      metrics,
      config: { model_type: "golden", hidden_size: 24, name: 'quoted "é\u0001' },
      source: "golden/model",
    });
    const bytes = await change(compressed.bytes);
    if (bytes.length > MOST_BYTES) throw new Error(`${name}: ${bytes.length} bytes are too many`);
    await Deno.writeFile(goldenPath(name), bytes);
  }
  const bytes = await Deno.readFile(goldenPath(name));
  console.log(`${name}: ${bytes.length} bytes; ${await coverage(bytes)}`);
  return await digestsOf(await decompressWeights(bytes));
}

/** Gains of some matrices, and other values of a norm, put into a file as tuning does. */
async function addGains(bytes: Uint8Array): Promise<Uint8Array> {
  const random = createRandom(4);
  const container = await openContainer(memorySource(bytes, "golden"));
  const values = (length: number) => Float32Array.from({ length }, () => 1 + 0.1 * random.normal());
  const gains = new Map<string, TensorGains>();
  for (const { name, shape: [rows = 1, ...others], stored } of container.tensors) {
    if (stored !== undefined || name.includes("up")) continue;
    gains.set(name, { rows: values(rows), columns: values(elementCount(others)) });
  }
  const vectors = new Map([["layers.0.norm.weight", values(24)]]);
  return await encodeContainer(withVerbatim(withGains(container, gains, 2 ** -6), vectors));
}

/** Which parts of the entropy code a file uses. */
async function coverage(bytes: Uint8Array): Promise<string> {
  const { stages, tensors } = await openContainer(memorySource(bytes, "golden"));
  let [values, escaped, raw] = [0, 0, 0];
  const used = new Set<number>();
  for (const stage of stages) {
    const shapes = levelShapes(stage, codedShapes(tensors)).at(-1)!;
    decodeIndices(stage.at(-1)!, shapes, ({ classes, indices, tables }) => {
      values += indices.length;
      classes.forEach((index, i) => {
        const { rawBits, reach } = tables[0]![index]!;
        used.add(index);
        if (rawBits > 0) raw++;
        if (Math.abs(indices[i]!) >> rawBits > reach + 1) escaped++;
      });
    });
  }
  return `${values} values, ${used.size} classes, ${escaped} escaped, ${raw} with raw bits`;
}

const digests: Record<string, unknown> = {};
const small = smallModel(createRandom(1));
const metrics = smallMetrics(small);
for (const states of [1, 8, 32, 64, 128, 256, 1024, 4096]) {
  const name = `rate-${states}-states`;
  digests[name] = await write(name, { bits: 6, states }, small, metrics);
}
digests["rate-gains"] = await write(
  "rate-gains",
  { bits: 6, states: 16 },
  small,
  metrics,
  addGains,
);
const long = longModel(createRandom(2));
digests["rate-pieces"] = await write(
  "rate-pieces",
  { bits: 0.1, states: 4 },
  long.weights,
  long.metrics,
);
const trained = { hiddenDims: [7, 3], trainingSteps: 20 };
digests["seed"] = await write("seed", { ...trained, preset: "seed" }, small, new Map());
digests["hybrid"] = await write(
  "hybrid",
  { ...trained, preset: "hybrid", bits: 12, states: 16, losslessSmall: true },
  small,
  metrics,
);
await Deno.writeTextFile(DIGESTS_PATH, JSON.stringify(digests, undefined, 2) + "\n");
