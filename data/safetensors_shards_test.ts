import assert from "node:assert";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { openShardedSafetensors, type ShardedWeights } from "./safetensors_shards.ts";

function shardOf(...names: string[]): Uint8Array {
  return encodeSafetensors(
    names.map((name) => ({ name, dtype: "U8", shape: [1], bytes: Uint8Array.of(name.length) })),
  );
}

const shards: Readonly<Record<string, Uint8Array>> = {
  "1.safetensors": shardOf("a", "bb"),
  "2.safetensors": shardOf("ccc"),
};
const goodMap = { ccc: "2.safetensors", a: "1.safetensors", bb: "1.safetensors" };

function open(index: unknown): Promise<ShardedWeights> {
  const text = typeof index === "string" ? index : JSON.stringify(index);
  return openShardedSafetensors(
    memorySource(new TextEncoder().encode(text), "m.index.json"),
    (name) => {
      const bytes = shards[name];
      if (bytes === undefined) return Promise.reject(new InputError(`${name}: does not exist`));
      return Promise.resolve(memorySource(bytes, name));
    },
  );
}

Deno.test("tensors are found in their shards", async () => {
  const weights = await open({ metadata: { total_size: 3 }, weight_map: goodMap });
  assert.deepStrictEqual(weights.tensors.map(({ name }) => name), ["a", "bb", "ccc"]);
  assert.deepStrictEqual((await weights.read("bb")).data, Float32Array.of(2));
  assert.deepStrictEqual(await weights.readBytes("ccc"), Uint8Array.of(3));
  assert.equal(weights.fileOf("ccc"), "2.safetensors");
  const sizes = Object.values(shards).map((bytes) => bytes.length);
  assert.equal(weights.byteLength, sizes.reduce((sum, size) => sum + size));
});

const cases: readonly [string, unknown, RegExp][] = [
  ["no JSON", "{", /^m.index.json: is not valid JSON \(/],
  ["no weight_map", {}, /^m.index.json: has no weight_map that lists tensors/],
  ["an empty weight_map", { weight_map: {} }, /^m.index.json: has no weight_map that lists/],
  [
    "a missing shard",
    { weight_map: { ...goodMap, d: "3.safetensors" } },
    /^3.safetensors: does not exist/,
  ],
  [
    "a shard outside of the folder",
    { weight_map: { ...goodMap, d: "../secret.safetensors" } },
    /^m.index.json: tensor "d" is in "..\/secret.safetensors", which is not the name of/,
  ],
  [
    "a shard that is not a name",
    { weight_map: { ...goodMap, d: 3 } },
    /^m.index.json: tensor "d" is in "3", which is not the name of/,
  ],
  [
    "a tensor in another shard than listed",
    { weight_map: { ...goodMap, a: "2.safetensors" } },
    /^m.index.json: tensor "a" is in 1.safetensors, but the index lists it in 2.safetensors;/,
  ],
  [
    "a tensor that is not listed",
    { weight_map: { a: "1.safetensors", ccc: "2.safetensors" } },
    /^m.index.json: tensor "bb" is in 1.safetensors, but the index does not list it;/,
  ],
  [
    "a tensor in no shard",
    { weight_map: { ...goodMap, d: "2.safetensors" } },
    /^m.index.json: tensor "d" should be in 2.safetensors, but is in no shard;/,
  ],
];

for (const [name, index, message] of cases) {
  Deno.test(`an index with ${name} is refused`, async () => {
    await assert.rejects(open(index), { name: "InputError", message });
  });
}
