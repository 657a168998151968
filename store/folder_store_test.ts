import assert from "node:assert";
import { join } from "node:path";
import { fromBase64, toHex } from "../data/base64.ts";
import { FileArrayWriter } from "../data/file_array.ts";
import { InputError } from "../data/input_error.ts";
import { sha256 } from "../data/sha256.ts";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import { openFolderStore } from "./folder_store.ts";
import { createMemoryStore } from "./memory_store.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  using folder = new TemporaryFolder();
  await work(folder.path);
}

const hash = async (values: Int16Array) =>
  toHex(fromBase64(await sha256(new Uint8Array(values.buffer))));
const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("stores keep, have and remove entries", () =>
  withFolder(async (folder) => {
    for (const store of [createMemoryStore(), await openFolderStore(join(folder, "new/work"))]) {
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.has("a"), false);
      const bytes = new Uint8Array(new SharedArrayBuffer(100_000)).fill(7);
      await store.put("a", bytes);
      bytes.fill(0);
      await store.put("empty", new Uint8Array());
      assert.equal(await store.has("a"), true);
      assert.deepEqual(await store.get("a"), new Uint8Array(100_000).fill(7));
      assert.deepEqual(await store.get("empty"), new Uint8Array());
      assert.equal((await store.get("a"))!.constructor, Uint8Array);
      await store.remove("a");
      await store.remove("a");
      assert.equal(await store.get("a"), undefined);
      for (const name of ["", "../a", "a/b", ".a", "A", "a.b", "a".repeat(129)]) {
        await assert.rejects(async () => await store.put(name, bytes), InputError, name);
      }
    }
  }));

Deno.test("stores keep arrays that are in files, of more pieces than one", () =>
  withFolder(async (folder) => {
    const values = Int16Array.from({ length: 1_200_000 }, (_, i) => i);
    const writer = new FileArrayWriter(join(folder, "values"), "Int16Array");
    writer.write(Int16Array.of(9));
    writer.write(values);
    const array = writer.finish();
    for (const store of [createMemoryStore(), await openFolderStore(join(folder, "work"))]) {
      await store.put("a", {
        ...array,
        start: 2,
        length: values.length,
        sha256: await hash(values),
      });
      const bytes = await store.get("a");
      assert.deepEqual(new Int16Array(bytes!.slice().buffer), values);
    }
  }));

Deno.test("a damaged entry is found, told and removed, and can be kept again", () =>
  withFolder(async (folder) => {
    const damaged: string[] = [];
    const store = await openFolderStore(folder, { onDamaged: (path) => damaged.push(path) });
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
    const path = join(folder, "a");
    const spoilings: ((file: Uint8Array) => Uint8Array)[] = [
      (file) => file.map((byte, i) => i === 500 ? byte ^ 1 : byte),
      (file) => file.map((byte, i) => i === 3 ? byte ^ 1 : byte),
      (file) => file.subarray(0, 900),
      (file) => file.subarray(0, 10),
      () => new Uint8Array(),
    ];
    for (const spoil of spoilings) {
      await store.put("a", bytes);
      assert.deepEqual(await store.get("a"), bytes);
      await Deno.writeFile(path, spoil(await Deno.readFile(path)));
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.has("a"), false);
    }
    assert.deepEqual(damaged, spoilings.map(() => path));
  }));

Deno.test("a folder of somebody else's, a file and a folder that is read-only are refused", () =>
  withFolder(async (folder) => {
    const file = join(folder, "notes.txt");
    await Deno.writeTextFile(file, "mine");
    await assert.rejects(openFolderStore(folder), /is not empty and no work folder of kanpress/);
    await assert.rejects(openFolderStore(file), InputError);
    await assert.rejects(openFolderStore("/proc/work"), InputError);
    assert.deepEqual(names(folder), ["notes.txt"]);
  }));

Deno.test("what a killed process has half written goes when it is old", () =>
  withFolder(async (folder) => {
    await (await openFolderStore(folder)).put("a", Uint8Array.of(1));
    const [old, fresh, future] = ["b", "c", "d"].map((name) =>
      `.${name}.tmp-${crypto.randomUUID()}`
    );
    for (const name of [old!, fresh!, future!]) {
      await Deno.writeTextFile(join(folder, name), "half");
    }
    await Deno.utime(join(folder, old!), 0, 0);
    // The clock was set back since.
    const later = new Date(Date.now() + 1e10);
    await Deno.utime(join(folder, future!), later, later);
    await openFolderStore(folder);
    assert.deepEqual(names(folder), [fresh!, "CACHEDIR.TAG", "a"]);
  }));
