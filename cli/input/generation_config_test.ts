import assert from "node:assert";
import { join } from "node:path";
import { memorySource } from "../../data/mod.ts";
import { TemporaryFolder } from "../../data/testdata/temporary_folder.ts";
import { readGenerationConfig } from "./generation_config.ts";

Deno.test("the folder's generation_config.json comes before the original's", async () => {
  using folder = new TemporaryFolder();
  const bytes = new TextEncoder().encode('{"eos_token_id":5}');
  const model = { companions: [memorySource(bytes, "owner/name/generation_config.json")] };
  assert.deepEqual(await readGenerationConfig(folder.path, model), { eos_token_id: 5 });
  await Deno.writeTextFile(join(folder.path, "generation_config.json"), '{"eos_token_id":[1,2]}');
  assert.deepEqual(await readGenerationConfig(folder.path, model), { eos_token_id: [1, 2] });
  assert.deepEqual(await readGenerationConfig(undefined, undefined), {});
});
