import assert from "node:assert";
import { createHash } from "node:crypto";
import { memorySource } from "../../data/memory_source.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { elementCount, type StateDict } from "../../data/tensor.ts";
import { containerWeights } from "../../hierarchy/container_weights.ts";
import { HierarchicalCompressor } from "../../hierarchy/compressor.ts";
import { PRESETS } from "../../hierarchy/compressor_options.ts";
import { encodeContainer, openContainer } from "../../hierarchy/file/container.ts";
import { decodesApart } from "../../hierarchy/file/decode_groups.ts";
import { decodeContainer } from "../../hierarchy/decode_container.ts";
import { withGains } from "../../hierarchy/gains.ts";
import { putIntegers } from "../../hierarchy/entropy/integer_vector.ts";
import { RansEncoder } from "../../hierarchy/entropy/rans.ts";
import type { TensorMetrics } from "../../hierarchy/metric/tensor_metric.ts";
import { reportContainer } from "../../hierarchy/report.ts";
import { createRandom, type Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import { rawSafetensors } from "../raw_safetensors.ts";
import type { FuzzTarget } from "../target.ts";

/** A compressed file, taken apart. */
interface Parts {
  readonly streams: Map<string, Uint8Array>;
  readonly metadata: Record<string, string>;
}

let sound: Promise<readonly { bytes: Uint8Array; parts: Parts }[]> | undefined;

/** Small files of every preset, with and without a metric, some decoders trained and some not. */
async function makeSound() {
  const random = createRandom(1);
  const tensor = (...shape: number[]) => {
    const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
    return { dtype: "F32" as const, shape, data };
  };
  const wide = tensor(24, 40);
  const weights: StateDict = new Map([
    ["h.0.w", tensor(16, 32)],
    ["h.1.w", tensor(16, 32)],
    ["h.0.norm", tensor(32)],
    ["h.1.norm", tensor(32)],
    ["embed", wide],
    ["head", wide],
  ]);
  const metrics: TensorMetrics = new Map([["h.0.w", {
    inputAxis: 1,
    hessian: Float64Array.from({ length: 32 * 32 }, (_, i) => i % 33 === 0 ? 1 + i / 100 : 0.1),
  }]]);
  const files = [];
  for (const preset of PRESETS) {
    const options = { preset, bits: 24, states: preset === "seed" ? 1 : 8, trainingSteps: 3 };
    const compressor = new HierarchicalCompressor(
      preset === "rate" ? options : { ...options, hiddenDims: [8, 4] },
    );
    const config = { model_type: "gpt2", n_layer: 2, vocab_size: 24 };
    const input = { config, source: "tiny", ...(preset === "rate" ? { metrics } : {}) };
    const { bytes } = await compressor.compress(weights, input);
    files.push({ bytes, parts: await takeApart(bytes) });
    if (preset !== "rate") continue;
    const gained = await addGains(random, bytes);
    files.push({ bytes: gained, parts: await takeApart(gained) });
  }
  return files;
}

/** The same file with gains of two matrices. */
async function addGains(random: Random, bytes: Uint8Array): Promise<Uint8Array> {
  const container = await openContainer(memorySource(bytes, "sound"));
  const values = (length: number) => Float32Array.from({ length }, () => 1 + 0.1 * random.normal());
  const gains = new Map([
    ["h.0.w", { rows: values(16), columns: values(32) }],
    ["embed", { rows: values(24), columns: values(40) }],
  ]);
  return await encodeContainer(withGains(container, gains, 2 ** -6));
}

async function takeApart(bytes: Uint8Array): Promise<Parts> {
  const file = await openSafetensors(memorySource(bytes, "sound"));
  const streams = new Map<string, Uint8Array>();
  for (const { name } of file.tensors) streams.set(name, await file.readBytes(name));
  return { streams, metadata: { ...file.metadata } };
}

/** One change of a part of the file. */
function change(random: Random, { streams, metadata }: Parts): void {
  const names = [...streams.keys()];
  const name = names[random.integer(names.length)];
  const kind = random.integer(10);
  if (kind < 5 || name === undefined) {
    const keys = ["tensors", "tensors", "stages", "stages", "aliases", "config", "sha256"];
    const key = keys[random.integer(keys.length)]!;
    const value: Json = JSON.parse(metadata[key] ?? "{}");
    metadata[key] = JSON.stringify(
      random.integer(3) === 0 ? hostileSize(random, value) : mutateJson(random, value),
    );
  } else if (kind === 5 && random.integer(2) === 0) {
    streams.set(streams.has("0.0.gains") ? "0.0.gains" : "0.0.steps", hostileSteps(random));
  } else if (kind === 5) streams.delete(name);
  else if (kind === 6) streams.set(name, randomBytes(random, random.integer(200)));
  else if (kind === 7) streams.set(name, hostileIntegers(random));
  else if (kind === 8) {
    const other = names[random.integer(names.length)]!;
    streams.set(name, streams.get(other)!);
  } else streams.set(name, mutateBytes(random, streams.get(name)!));
}

/** One of the numbers in it replaced by a size that is too large, or nearly. */
function hostileSize(random: Random, value: Json): Json {
  const text = JSON.stringify(value);
  const numbers = [...text.matchAll(/\b\d+\b/g)];
  if (numbers.length === 0) return value;
  const { index, 0: { length } } = numbers[random.integer(numbers.length)]!;
  const size = 2 ** random.integer(36) + random.integer(3) - 1;
  return JSON.parse(text.slice(0, index) + String(size) + text.slice(index + length));
}

/** A stream that decodes well into numbers that no encoder gives. */
function hostileIntegers(random: Random): Uint8Array {
  const encoder = new RansEncoder();
  const bound = 2 ** random.integer(16);
  for (let vectors = 1 + random.integer(12); vectors > 0; vectors--) {
    const length = [3, 16, 24, 32, 40, 58, 97][random.integer(7)]!;
    putIntegers(
      encoder,
      Int32Array.from({ length }, () => random.integer(2 * bound) - bound),
    );
  }
  return encoder.finish();
}

/** The steps of the sound files' matrices as a field level stores them, of any size. */
function hostileSteps(random: Random): Uint8Array {
  const encoder = new RansEncoder();
  const bound = 2 ** (6 + random.integer(10));
  const vector = (length: number) =>
    putIntegers(encoder, Int32Array.from({ length }, () => random.integer(2 * bound) - bound));
  const sizes = [[32, 16], [16, 32], [24, 40]];
  const flags = Int32Array.from(sizes, () => random.integer(2));
  vector(sizes.length);
  putIntegers(encoder, flags);
  sizes.forEach((lengths, i) => flags[i] && lengths.forEach(vector));
  return encoder.finish();
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("base64");
}

/** The file with the hashes and the checksum made right again, or not. */
function putTogether({ streams, metadata }: Parts, hashes: boolean, checksum: boolean): Uint8Array {
  if (hashes) {
    const digests = [...streams].map(([name, bytes]) => [name, sha256(bytes)]);
    metadata.sha256 = JSON.stringify(Object.fromEntries(digests));
  }
  if (checksum) {
    const entries = Object.entries(metadata).filter(([key]) => key !== "checksum").sort();
    metadata.checksum = sha256(JSON.stringify(entries));
  }
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { length }] of streams) {
    header[name] = { dtype: "U8", shape: [length], data_offsets: [end, end += length] };
  }
  const data = new Uint8Array(end);
  end = 0;
  for (const bytes of streams.values()) {
    data.set(bytes, end);
    end += bytes.length;
  }
  return rawSafetensors(JSON.stringify(header), data);
}

/** Reads a compressed file in every way that there is. */
async function read(input: Uint8Array): Promise<void> {
  const source = memorySource(input, "input.kan.safetensors");
  const container = await openContainer(source);
  const weights = await decodeContainer(container);
  const names = [...container.tensors.map(({ name }) => name), ...container.aliases.keys()];
  assert.deepEqual([...weights.keys()].sort(), names.sort());
  for (const [name, { shape, data }] of weights) {
    assert.equal(data.length, elementCount(shape), name);
    assert.ok(data.every(Number.isFinite), `${name} is not finite`);
  }
  const { tensors } = await reportContainer(container, input.length);
  assert.equal(tensors.length, container.tensors.length);
  if (!decodesApart(container)) return;
  const lazy = containerWeights(container);
  const { name } = lazy.tensors.at(-1)!;
  assert.deepEqual((await lazy.read(name)).data, weights.get(name)!.data);
}

/** Mutations of compressed models. */
export const target: FuzzTarget = {
  name: "kan_file",
  description: "Compressed models of every preset with changed headers and streams, most with " +
    "right hashes: opened, decoded whole and tensor by tensor, and accounted for.",
  async mutate(random) {
    const files = await (sound ??= makeSound());
    const { bytes, parts } = files[random.integer(files.length)]!;
    if (random.integer(10) === 0) return mutateBytes(random, bytes);
    const changed = { streams: new Map(parts.streams), metadata: { ...parts.metadata } };
    for (let times = 1 + random.integer(2); times > 0; times--) change(random, changed);
    return putTogether(changed, random.integer(8) > 0, random.integer(12) > 0);
  },
  read,
};
