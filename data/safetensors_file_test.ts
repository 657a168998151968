import assert from "node:assert";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import safetensors from "safetensors";
import { bytesPerElement, dtypes } from "./dtype.ts";
import { openFile } from "./file_source.ts";
import { fromFloat32 } from "./from_float32.ts";
import { memorySource } from "./memory_source.ts";
import { encodeSafetensors, type TensorBytes } from "./safetensors_encode.ts";
import { openSafetensors } from "./safetensors_file.ts";

/** The part of the npm package that reads a file; the package has no types. */
interface PeerReader {
  readonly metadata: ReadonlyMap<string, { dtype: string; shape: number[] }>;
  getTensor(name: string): Uint8Array;
}
const { SafeTensor } = safetensors as { SafeTensor: new (bytes: Uint8Array) => PeerReader };

const shared = new URL("../../shared/", import.meta.url);

const everyType: readonly TensorBytes[] = dtypes.map((dtype, i) => ({
  name: `tensor ${i} "${dtype}" ü`,
  dtype,
  shape: [i % 3, 2],
  bytes: new Uint8Array((i % 3) * 2 * bytesPerElement(dtype)).map((_, j) => (j + i) % 2),
}));

Deno.test("rows are read without the bytes of others", async () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => i);
  const bytes = encodeSafetensors([
    { name: "w", dtype: "F16", shape: [6, 2, 2], bytes: fromFloat32("F16", values) },
  ]);
  const inner = memorySource(bytes, "model");
  const lengths: number[] = [];
  const read = (start: number, end: number) => {
    lengths.push(end - start);
    return inner.read(start, end);
  };
  const file = await openSafetensors({ ...inner, read });
  lengths.length = 0;
  const { shape, data } = await file.readRows("w", Int32Array.of(0, 2, 3));
  assert.deepEqual(shape, [3, 2, 2]);
  assert.deepEqual([...data], [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]);
  assert.deepEqual(lengths, [8, 16]);
  assert.deepEqual((await file.readRows("w", new Int32Array())).shape, [0, 2, 2]);
});

Deno.test("tensors of every type come back, with their metadata", async () => {
  const metadata = { format: "pt", "1": "one", __proto__x: "ü\n" };
  const bytes = encodeSafetensors(everyType.toReversed(), metadata);
  const file = await openSafetensors(memorySource(bytes, "all.safetensors"));
  assert.deepStrictEqual(file.metadata, metadata);
  assert.equal(file.tensors.length, everyType.length);
  for (const { name, dtype, shape, bytes } of everyType) {
    const tensor = file.tensors.find((tensor) => tensor.name === name)!;
    assert.deepStrictEqual([tensor.dtype, tensor.shape], [dtype, shape]);
    assert.equal(tensor.start % bytesPerElement(dtype), 0, "aligned");
    assert.deepStrictEqual(await file.readBytes(name), bytes);
    if (dtype === "BOOL" || dtype.startsWith("F") || dtype === "BF16") {
      const { data } = await file.read(name);
      assert.deepStrictEqual(dtype === "F64" ? bytes : fromFloat32(dtype, data), bytes);
    }
  }
});

Deno.test("a large tensor comes back whole, and a bad element of it is named", async () => {
  const count = 2 ** 20 + 3;
  const values = Float32Array.from({ length: count }, (_, i) => i % 251 - 100);
  const integers = new Int32Array(count);
  integers[count - 2] = 2 ** 24 + 1;
  const bytes = encodeSafetensors([
    { name: "w", dtype: "BF16", shape: [count], bytes: fromFloat32("BF16", values) },
    { name: "v", dtype: "F32", shape: [count], bytes: fromFloat32("F32", values) },
    { name: "ids", dtype: "I32", shape: [count], bytes: new Uint8Array(integers.buffer) },
  ]);
  const file = await openSafetensors(memorySource(bytes, "m"));
  assert.deepEqual((await file.read("w")).data, values);
  assert.deepEqual((await file.read("v")).data, values);
  await assert.rejects(file.read("ids"), {
    name: "InputError",
    message: `m: tensor "ids": I32 value ${2 ** 24 + 1} at element ${count - 2} is not exact in ` +
      "float32; leave this tensor out or store it as floats",
  });
});

Deno.test("the npm package safetensors reads what we write", () => {
  const peer = new SafeTensor(encodeSafetensors(everyType));
  assert.equal(peer.metadata.size, everyType.length);
  for (const { name, dtype, shape, bytes } of everyType) {
    assert.deepStrictEqual(peer.metadata.get(name)?.dtype, dtype);
    assert.deepStrictEqual(peer.metadata.get(name)?.shape, shape);
    assert.deepStrictEqual(peer.getTensor(name), bytes);
  }
});

const fixture = new URL("models/stories260K/model.safetensors", shared);
Deno.test({
  name: "the npm package safetensors and our reader agree on a model",
  ignore: !existsSync(fixture),
  async fn() {
    const file = await openSafetensors(await openFile(fileURLToPath(fixture)));
    const peer = new SafeTensor(withoutMetadata(Deno.readFileSync(fixture)));
    assert.equal(peer.metadata.size, file.tensors.length);
    for (const { name, shape } of file.tensors) {
      assert.deepStrictEqual(peer.metadata.get(name)?.shape, shape);
      assert.deepStrictEqual(await file.readBytes(name), peer.getTensor(name));
    }
  },
});

/** The file with spaces where its `__metadata__` were, over which the peer stumbles. */
function withoutMetadata(file: Uint8Array): Uint8Array {
  const entry = '"__metadata__":{"format":"pt"},';
  const start = new TextDecoder("latin1").decode(file.subarray(0, 100)).indexOf(entry);
  return file.fill(0x20, start, start + entry.length);
}

Deno.test("an empty file of no tensors is valid", async () => {
  const file = await openSafetensors(memorySource(encodeSafetensors([]), "empty"));
  assert.deepStrictEqual([file.tensors, file.metadata], [[], {}]);
});

Deno.test("a tensor that is not there is named", async () => {
  const file = await openSafetensors(memorySource(encodeSafetensors([]), "m.safetensors"));
  await assert.rejects(file.read("wte"), {
    name: "InputError",
    message: 'm.safetensors: has no tensor "wte"; check that config.json belongs to this file',
  });
});
