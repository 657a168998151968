import assert from "node:assert";
import { join } from "node:path";
import { modelLabel, recordedName } from "./model_names.ts";
import { runCommandLine } from "../testdata/command_line.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";
import { inWorkingFolder } from "../testdata/working_folder.ts";

Deno.test("a model has one name, however its path is typed", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    await inWorkingFolder(folder, async () => {
      await Deno.mkdir(".hidden");
      for (
        const path of ["model", "./model", "model/", model, `${model}/../model`, "model/."]
      ) {
        for (const typed of [path, join(path, "model.safetensors")]) {
          assert.equal(recordedName(typed, { name: typed }), "model", typed);
          assert.equal(modelLabel(typed, { name: typed }), "model", typed);
        }
      }
      assert.equal(modelLabel(".hidden", { name: ".hidden" }), "hidden");
      assert.equal(modelLabel("/", { name: "/" }), "model");
      Deno.chdir(model);
      assert.equal(recordedName(".", { name: "." }), "model");
      await Deno.rename("model.safetensors", "second half.safetensors");
      const given = "second half.safetensors";
      assert.equal(recordedName(given, { name: given }), "second half");
      assert.equal(modelLabel(given, { name: given }), "second-half");
      for (const name of ["tiny-Q4_0.gguf", "tiny-Q4_0-00001-of-00003.gguf"]) {
        await Deno.writeTextFile(name, "");
        assert.equal(recordedName(name, { name }), "tiny-Q4_0");
        assert.equal(modelLabel(`./${name}`, { name }), "tiny-Q4_0");
      }
    });
  }));

Deno.test("models of the hub and the embedded one keep their names", () => {
  assert.equal(recordedName("owner/name", { name: "owner/name" }), "hf://owner/name");
  assert.equal(recordedName(undefined, { name: "prose-4m" }), "prose-4m");
  assert.equal(modelLabel(undefined, { name: "prose-4m" }), "prose-4m");
  assert.equal(
    modelLabel("openai-community/gpt2", { name: "openai-community/gpt2" }),
    "openai-community-gpt2",
  );
  assert.equal(
    modelLabel("owner/name@refs/pr/1", { name: "owner/name@refs/pr/1" }),
    "owner-name-refs-pr-1",
  );
  const gguf = "owner/name:model-Q8_0.gguf";
  assert.equal(recordedName(gguf, { name: gguf }), `hf://${gguf}`);
  assert.equal(modelLabel(gguf, { name: gguf }), "owner-name-model-Q8_0");
});

Deno.test("the bytes of a file depend on the model, and not on how or from where it was named", () =>
  withWorkFolder(async (folder) => {
    await Deno.mkdir(join(folder, "other"));
    const common = ["--data-free", "--text", join(folder, "text.txt"), "--no-cache", "--bits", "8"];
    const bytesOf = async (model: string, cwd: string) => {
      const out = join(folder, "out.kan.safetensors");
      const run = await runCommandLine(["compress", model, "--out", out, ...common], { cwd });
      assert.equal(run.code, 0, run.error);
      return await Deno.readFile(out);
    };
    const first = await bytesOf("model", folder);
    assert.deepEqual(await bytesOf("./model/", folder), first);
    assert.deepEqual(await bytesOf(join(folder, "model"), join(folder, "other")), first);
    assert.ok(!new TextDecoder("latin1").decode(first).includes(folder));
  }));
