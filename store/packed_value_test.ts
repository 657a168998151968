import assert from "node:assert";
import fc from "fast-check";
import { bytesOf } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { type PackedArray, packValue, unpackValue } from "./packed_value.ts";

/** A hash that is good enough for a few arrays. */
const lengthHash = (bytes: Uint8Array) => Promise.resolve(`${bytes.length}`);
const none = () => Promise.resolve(undefined);

const arrays = fc.oneof(
  fc.int8Array(),
  fc.uint8Array(),
  fc.int16Array(),
  fc.uint16Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.float32Array(),
  fc.float64Array(),
);
const { tree: values } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    arrays,
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.constant(null),
    fc.array(tie("tree")),
    fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,8}$/), tie("tree")),
  ),
}));

/** As `structuredClone`, but without prototypes that generators give. */
const plain = (value: unknown): unknown =>
  ArrayBuffer.isView(value) || typeof value !== "object" || value === null
    ? value
    : Array.isArray(value)
    ? value.map(plain)
    : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));

Deno.test("values come back as they were, also from bytes that stand anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(values, fc.nat(9), async (value, offset) => {
      const { bytes } = await packValue(value, lengthHash);
      const moved = new Uint8Array(offset + bytes.length);
      moved.set(bytes, offset);
      // Strictly, by which alone NaN is NaN within arrays.
      assert.deepStrictEqual(await unpackValue(moved.subarray(offset), none), plain(value));
    }),
    { examples: [[[Float64Array.of(NaN, -0)], 1]] },
  );
});

Deno.test("large arrays stand apart, once, and a value without them is not there", async () => {
  const large = new Float32Array(new SharedArrayBuffer(400_000)).fill(1.5);
  const paths: string[] = [];
  const hashOf = (bytes: Uint8Array, array: PackedArray, path: string) => {
    assert.equal(array, large);
    paths.push(path);
    return lengthHash(bytes);
  };
  const value = {
    a: { b: [large] },
    c: large,
    d: undefined,
    get e() {
      return large;
    },
  };
  const { bytes, blobs } = await packValue(value, hashOf);
  assert.deepEqual(paths, ["a.b.0", "c", "e"]);
  assert.deepEqual([...blobs.keys()], ["blob-400000"]);
  assert.ok(bytes.length < 400);
  const same = { e: large, c: large, a: { b: [large] } };
  assert.deepEqual((await packValue(same, lengthHash)).bytes, bytes);
  const copyOf = (name: string) => Promise.resolve(bytesOf(blobs.get(name)!).slice());
  const found = await unpackValue(bytes, copyOf);
  assert.deepEqual(found, { a: { b: [large] }, c: large, e: large });
  assert.equal(await unpackValue(bytes, none), undefined);
});

Deno.test("what JSON cannot say is not packed", async () => {
  for (const value of [NaN, Infinity, () => 1, 1n, new BigInt64Array(1), { a: [Symbol()] }]) {
    await assert.rejects(packValue(value, lengthHash), /cannot be packed/);
  }
});

Deno.test("bytes that are no packed value are refused", async () => {
  const { bytes } = await packValue({ a: Int32Array.of(1, 2), b: "text" }, lengthHash);
  const text = (json: string) => {
    const packed = new Uint8Array(8 * Math.ceil((4 + json.length) / 8));
    new DataView(packed.buffer).setUint32(0, json.length, true);
    packed.set(new TextEncoder().encode(json), 4);
    return packed;
  };
  const array = (fields: object) => text(JSON.stringify({ $array: "Int32Array", ...fields }));
  const bad = [
    new Uint8Array(),
    new Uint8Array(3),
    bytes.subarray(0, -8),
    bytes.map((byte, i) => i < 4 ? 255 : byte),
    text("{"),
    text("[".repeat(30) + "]".repeat(30)),
    array({ length: 1, at: 0 }),
    array({ length: -1, at: 0 }),
    array({ length: 2 ** 53, at: 0 }),
    array({ length: 1 }),
    array({ $array: "constructor", length: 0, at: 0 }),
  ];
  for (const packed of bad) await assert.rejects(unpackValue(packed, none), InputError);
  const blob = array({ length: 1, blob: "blob-1" });
  await assert.rejects(unpackValue(blob, () => Promise.resolve(new Uint8Array(3))), InputError);
});
