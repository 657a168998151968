import assert from "node:assert";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import {
  FileArrayWriter,
  isFileArray,
  loadFileArray,
  readFileArray,
  sequentialReader,
} from "./file_array.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

Deno.test("what is written part by part is read in any parts, and known by its hash", () => {
  using folder = new TemporaryFolder();
  fc.assert(fc.property(
    fc.array(fc.array(fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }), { maxLength: 50 })),
    fc.integer({ min: 1, max: 20 }),
    (parts, piece) => {
      const writer = new FileArrayWriter(join(folder.path, "values"), "Int16Array");
      for (const part of parts) writer.write(Int16Array.from(part));
      const array = writer.finish();
      const all = Int16Array.from(parts.flat());
      assert.ok(isFileArray(structuredClone(array)));
      assert.deepEqual(loadFileArray(array), all);
      assert.equal(
        array.sha256,
        createHash("sha256").update(new Uint8Array(all.buffer)).digest("hex"),
      );
      const read = sequentialReader(array, piece);
      for (let first = 0; first < all.length; first += 7) {
        const count = Math.min(7, all.length - first);
        assert.deepEqual([...read(first, count)], [...all.subarray(first, first + count)]);
      }
    },
  ));
});

Deno.test("a file that is missing or has become shorter is named", () => {
  using folder = new TemporaryFolder();
  const path = join(folder.path, "short");
  const writer = new FileArrayWriter(path, "Float32Array");
  writer.write(Float32Array.of(1, 2, 3));
  const array = writer.finish();
  Deno.truncateSync(path, 8);
  const error = { name: "InputError", message: /short: ends too early/ };
  assert.throws(() => loadFileArray(array), error);
  Deno.removeSync(path);
  assert.throws(() => loadFileArray(array), /^InputError: .*short: does not exist/);
  assert.throws(() => readFileArray(array, 2, new Float32Array(2)), RangeError);
  assert.throws(
    () => new FileArrayWriter(join(folder.path, "no", "x"), "Int8Array"),
    /no.x: does not/,
  );
});

Deno.test("a full disk ends the writing with the file's name", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const writer = new FileArrayWriter("/dev/full", "Int8Array");
  assert.throws(() => writer.write(new Int8Array(10)), /^InputError: \/dev\/full: no space left/);
});
