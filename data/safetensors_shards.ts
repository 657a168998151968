import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { isJsonObject, readJsonObject } from "./json_file.ts";
import { quote } from "./quote.ts";
import { openSafetensors, type SafetensorsFile } from "./safetensors_file.ts";
import type { TensorInfo, WeightSource } from "./tensor.ts";

/** Weights in several safetensors files. */
export interface ShardedWeights extends WeightSource {
  /** The files by name, in the order of their names. */
  readonly shards: ReadonlyMap<string, SafetensorsFile>;
  /** Bytes of all files together, without the index. */
  readonly byteLength: number;
  /** Reads one tensor's bytes as they are stored. */
  readBytes(name: string): Promise<Uint8Array>;
  /** Name of the shard that a tensor is in. */
  fileOf(name: string): string;
}

/**
 * Opens the weights that a `model.safetensors.index.json` lists; `openShard` finds a file by its
 * name in the index. Only headers are read.
 *
 * Throws an {@linkcode InputError} if the index is not such an index, or a shard is missing or
 * damaged, or the index and the shards disagree on where a tensor is.
 *
 * ```ts
 * import {
 *   encodeSafetensors,
 *   memorySource,
 *   openShardedSafetensors,
 * } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const index = new TextEncoder().encode('{"weight_map": {"a": "1.safetensors"}}');
 * const shard = encodeSafetensors([{ name: "a", dtype: "U8", shape: [], bytes: Uint8Array.of(7) }]);
 * const weights = await openShardedSafetensors(
 *   memorySource(index, "model.safetensors.index.json"),
 *   (name) => Promise.resolve(memorySource(shard, name)),
 * );
 * assert.deepEqual((await weights.read("a")).data, Float32Array.of(7));
 * ```
 */
export async function openShardedSafetensors(
  index: ByteSource,
  openShard: (name: string) => Promise<ByteSource>,
): Promise<ShardedWeights> {
  const shardOf = parseShardIndex(index.name, await readJsonObject(index));
  const shards = new Map<string, SafetensorsFile>();
  const tensors: TensorInfo[] = [];
  for (const shardName of [...new Set(shardOf.values())].toSorted()) {
    const shard = await openSafetensors(await openShard(shardName));
    shards.set(shardName, shard);
    for (const { name, dtype, shape } of shard.tensors) {
      checkListed(index.name, name, shardName, shardOf.get(name));
      tensors.push({ name, dtype, shape });
    }
  }
  checkComplete(index.name, shardOf, tensors);

  function shardWith(name: string): SafetensorsFile {
    const shard = shards.get(shardOf.get(name) ?? "");
    if (shard !== undefined) return shard;
    throw new InputError(
      `${index.name}: lists no tensor ${quote(name)}; check that config.json belongs to this model`,
    );
  }

  return {
    tensors,
    shards,
    byteLength: [...shards.values()].reduce((sum, shard) => sum + shard.byteLength, 0),

    readBytes: async (name) => await shardWith(name).readBytes(name),
    read: async (name) => await shardWith(name).read(name),
    readRows: async (name, rows) => await shardWith(name).readRows(name, rows),
    fileOf: (name) => shardWith(name).fileOf(name),
  };
}

/**
 * The file of each tensor, from the contents of a `model.safetensors.index.json` named `file`; the
 * files lie beside the index.
 */
export function parseShardIndex(
  file: string,
  index: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, string> {
  const { weight_map: map } = index;
  if (!isJsonObject(map) || Object.keys(map).length === 0) {
    throw new InputError(`${file}: has no weight_map that lists tensors; get it again`);
  }
  const shardOf = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(map)) {
    // Names with a folder in them could lead out of the model's own.
    if (typeof shard !== "string" || !/^[^/\\]+\.safetensors$/.test(shard)) {
      throw new InputError(
        `${file}: tensor ${quote(tensor)} is in ${quote(String(shard))}, ` +
          `which is not the name of a .safetensors file beside it; get it again`,
      );
    }
    shardOf.set(tensor, shard);
  }
  return shardOf;
}

function checkListed(
  file: string,
  tensor: string,
  shard: string,
  listed: string | undefined,
): void {
  if (listed === shard) return;
  const claim = listed === undefined ? "does not list it" : `lists it in ${listed}`;
  throw new InputError(
    `${file}: tensor ${quote(tensor)} is in ${shard}, but the index ${claim}; ` +
      `get the index and the shards again, from one version of the model`,
  );
}

function checkComplete(
  file: string,
  shardOf: ReadonlyMap<string, string>,
  tensors: readonly TensorInfo[],
): void {
  const present = new Set(tensors.map((tensor) => tensor.name));
  for (const [tensor, shard] of shardOf) {
    if (present.has(tensor)) continue;
    throw new InputError(
      `${file}: tensor ${quote(tensor)} should be in ${shard}, but is in no shard; ` +
        `get the index and the shards again, from one version of the model`,
    );
  }
}
