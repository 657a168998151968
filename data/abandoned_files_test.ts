import assert from "node:assert";
import { join } from "node:path";
import { removeAbandonedFiles } from "./abandoned_files.ts";
import { TemporaryFolder } from "./testdata/temporary_folder.ts";

Deno.test("only what nobody has written to for long, under the name of an unfinished file, goes", async () => {
  using folder = new TemporaryFolder();
  const unfinished = (name: string) => `.${name}.tmp-${crypto.randomUUID()}`;
  const fresh = unfinished("fresh"), old = unfinished("old"), future = unfinished("future");
  const others = ["whole", ".hidden", ".model.tmp-kanpress"];
  for (const name of [fresh, old, future, ...others]) {
    const path = join(folder.path, name);
    await Deno.writeTextFile(path, "");
    if (name === fresh) continue;
    // The clock was set back since the one of the future was written.
    const written = name === future ? 1e10 : 0;
    await Deno.utime(path, written, written);
  }
  await removeAbandonedFiles(folder.path);
  const left = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assert.deepEqual(left, [fresh, ...others].sort());
  await assert.rejects(removeAbandonedFiles(join(folder.path, "missing")), { name: "InputError" });
});
