import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { byteTokenizer } from "../../../cli/testdata/byte_tokenizer.ts";
import { fromFloat32, type LazyTensorBytes, writeSafetensors } from "../../../data/mod.ts";
import { elementCount } from "../../../data/tensor.ts";
import { describeModel } from "../../../eval/architectures/registry.ts";
import { expectedTensors } from "../../../eval/weights/expected_tensors.ts";
import { createRandom } from "../../../kan/numeric/random.ts";
import { llama } from "../model_sizes/write_shape.ts";

/** Layers, whatever the scale. */
const LAYERS = 16;
/** Width of a head, of which hidden states are whole multiples. */
const HEAD = 64;
/** Bytes of a shard's tensors, unless one alone has more. */
const SHARD_BYTES = 5e8;
/** Standard deviation of the weights. */
const DEVIATION = 0.02;
/** The index is written last: a folder that has one is whole. */
const INDEX = "model.safetensors.index.json";

/** The config of a model in the shapes of Llama-3.2-1B, with about `scale` times its weights. */
export function scaledConfig(scale: number) {
  const heads = Math.max(4, Math.round(32 * Math.sqrt(scale) / 4) * 4);
  const vocabulary = 64 * Math.round(128_256 * Math.sqrt(scale) / 64);
  return llama([HEAD * heads, 4 * HEAD * heads, LAYERS], [heads, heads / 4], vocabulary);
}

/**
 * Writes a model of random weights in BF16 as a folder of several weight files, unless a whole one is
 * there already; the same config gives the same bytes. Gives its number of weights.
 */
export async function writeShardedModel(
  config: ReturnType<typeof scaledConfig>,
  folder: string,
): Promise<number> {
  const shapes = [...expectedTensors(describeModel(config, []))];
  const parameters = shapes.reduce((sum, [, shape]) => sum + elementCount(shape), 0);
  if (existsSync(join(folder, INDEX))) return parameters;
  await mkdir(folder, { recursive: true });
  const drawn = drawPatterns();
  const shards = inShards(shapes.map(([name, shape], i) => ({
    ...{ name, shape, dtype: "BF16" as const },
    bytes: () => shape.length === 1 ? ones(shape) : randomBytes(drawn, elementCount(shape), i),
  })));
  const fileOf = new Map<string, string>();
  const numbered = (number: number) => String(number).padStart(5, "0");
  for (const [i, shard] of shards.entries()) {
    const file = `model-${numbered(i + 1)}-of-${numbered(shards.length)}.safetensors`;
    await writeSafetensors(join(folder, file), shard, { format: "pt" });
    for (const { name } of shard) fileOf.set(name, file);
  }
  const texts = {
    "config.json": config,
    "tokenizer.json": byteTokenizer(config.vocab_size),
    "tokenizer_config.json": {},
    [INDEX]: {
      metadata: { total_size: 2 * parameters },
      weight_map: Object.fromEntries(fileOf),
    },
  };
  for (const [name, value] of Object.entries(texts)) {
    await writeFile(join(folder, name), JSON.stringify(value));
  }
  return parameters;
}

function inShards(tensors: readonly LazyTensorBytes[]): LazyTensorBytes[][] {
  const shards: LazyTensorBytes[][] = [];
  let bytes = Infinity;
  for (const tensor of tensors) {
    bytes += 2 * elementCount(tensor.shape);
    if (bytes > SHARD_BYTES) {
      shards.push([]);
      bytes = 2 * elementCount(tensor.shape);
    }
    shards.at(-1)!.push(tensor);
  }
  return shards;
}

/** Normal values that weights are picked from: to draw each anew would take minutes. */
function drawPatterns(): Uint16Array {
  const random = createRandom(1);
  const values = Float32Array.from({ length: 2 ** 16 }, () => DEVIATION * random.normal());
  return new Uint16Array(fromFloat32("BF16", values).slice().buffer);
}

function ones(shape: readonly number[]): Uint8Array {
  return fromFloat32("BF16", new Float32Array(elementCount(shape)).fill(1));
}

function randomBytes(drawn: Uint16Array, count: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  const patterns = new Uint16Array(count);
  for (let i = 0; i < count; i += 2) {
    const word = 2 ** 32 * random.uniform();
    patterns[i] = drawn[word % 2 ** 16]!;
    patterns[i + 1] = drawn[Math.floor(word / 2 ** 16)]!;
  }
  return new Uint8Array(patterns.buffer);
}
