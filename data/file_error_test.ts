import assert from "node:assert";
import { fileURLToPath } from "node:url";
import { makeFolder } from "./hub_cache.ts";
import { InputError } from "./input_error.ts";

Deno.test("a folder where a file stands is an error that names the file and the way out", async () => {
  const file = fileURLToPath(import.meta.url);
  await assert.rejects(makeFolder(file), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(
      error.message,
      `${file}: is a file, where a folder was expected; name another place`,
    );
    return true;
  });
});
