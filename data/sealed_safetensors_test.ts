import assert from "node:assert";
import { join } from "node:path";
import { openFile } from "./file_source.ts";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";
import { openSealed, writeSealed } from "./sealed_safetensors.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

const TENSORS = [
  { name: "fisher.3", dtype: "U8" as const, shape: [3], bytes: Uint8Array.of(1, 2, 3) },
  { name: "size", dtype: "F32" as const, shape: [1, 1], bytes: Uint8Array.of(0, 0, 128, 63) },
];

Deno.test("a sealed file gives back what was written, and no other than it was told to", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "sealed.safetensors");
  await writeSealed(path, TENSORS, { key: "k" });
  const file = await openSealed(await openFile(path));
  assert.deepEqual(file.metadata, { key: "k" });
  assert.deepEqual(new Uint8Array(await file.read("fisher.3", "U8")), Uint8Array.of(1, 2, 3));
  assert.deepEqual(new Float32Array(await file.read("size", "F32")), Float32Array.of(1));
  await assert.rejects(file.read("size", "F64"), /has no F64 tensor "size"/);
  await assert.rejects(file.read("other", "U8"), /has no U8 tensor "other"\); remove it/);
});

Deno.test("whichever bit of a sealed file changes, it is refused", async () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "sealed.safetensors");
  await writeSealed(path, TENSORS, { key: "k" });
  const whole = await Deno.readFile(path);
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const bytes = whole.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const readAll = async () => {
      const file = await openSealed(memorySource(bytes, "cache"));
      for (const { name, dtype } of TENSORS) await file.read(name, dtype);
      return file.metadata;
    };
    await assert.rejects(readAll(), (error) => {
      assert.ok(error instanceof InputError && error.message.startsWith("cache: "), `${error}`);
      return true;
    }, `bit ${bit & 7} of byte ${bit >> 3}`);
  }
});
