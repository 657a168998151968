import assert from "node:assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { InputError } from "../data/input_error.ts";
import { memorySource } from "../data/memory_source.ts";
import { elementCount } from "../data/tensor.ts";
import { openContainer } from "./file/container.ts";
import { decodeContainer } from "./decode_container.ts";
import { reportContainer } from "./report.ts";
import { asPresentVersion } from "./testdata/present_version.ts";

/** Files whose hashes are right and whose contents are not: not part of the repository. */
const CASES = new URL("../../shared/cases/kan/", import.meta.url);

/** Sound as compressed files: what they say of the model's origin or shape is for others to judge. */
const SOUND = /^(21|28|29)-/;

Deno.test({
  name: "files with right hashes and wrong contents are refused before anything is decoded",
  ignore: !existsSync(CASES),
  async fn() {
    for (const name of readdirSync(CASES)) {
      const source = memorySource(await asPresentVersion(readFileSync(new URL(name, CASES))), name);
      if (SOUND.test(name)) {
        const container = await openContainer(source);
        const { tensors } = await reportContainer(container, source.byteLength);
        assert.equal(tensors.length, container.tensors.length);
        const weights = await decodeContainer(container);
        for (const { data, shape } of weights.values()) {
          assert.equal(data.length, elementCount(shape));
        }
        continue;
      }
      await assert.rejects(openContainer(source), (error) => {
        assert.ok(error instanceof InputError && error.message.startsWith(`${name}: `), `${error}`);
        return true;
      });
    }
  },
});
