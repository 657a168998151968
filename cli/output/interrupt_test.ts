import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { errorLines, interruptCommandLine } from "../testdata/command_line.ts";
import { fileNames, TEXT, withWorkFolder } from "../testdata/work_folder.ts";

function lastLine(error: string): string | undefined {
  return errorLines(error).at(-1);
}

Deno.test("the end of the terminal ends a run and leaves nothing", {
  ignore: Deno.build.os === "windows",
}, () =>
  withWorkFolder(async (folder) => {
    const args = ["compress", "--threads", "1", "--no-cache", "--out", "new/out"];
    const { code, error } = await interruptCommandLine(args, folder, /open/, "SIGHUP");
    assert.equal(code, 1, error);
    assert.equal(lastLine(error), "error: interrupted; no partial output was left behind");
    assert.deepEqual(fileNames(folder), ["model", "text.txt"]);
  }));

Deno.test("Ctrl-C where what is done is kept says how to go on", () =>
  withWorkFolder(async (folder) => {
    const args = ["compress", "--threads", "1", "--no-cache", "--out", "out", "--work", "work"];
    const { code, error } = await interruptCommandLine(args, folder, /calibrate/, "SIGINT");
    assert.equal(code, 1, error);
    assert.equal(
      lastLine(error),
      "error: interrupted; what is done is kept: run the same again to go on",
    );
  }));

Deno.test("a run that was started to outlive its terminal does", {
  ignore: Deno.build.os !== "linux",
}, () =>
  withWorkFolder(async (folder) => {
    const args = ["compress", "model", "--text", "text.txt", "--data-free", "--out", "out"];
    const { code, error } = await interruptCommandLine(
      args,
      folder,
      /open/,
      "SIGHUP",
      { shell: 'trap "" HUP' },
    );
    assert.equal(code, 0, error);
    assert.ok(existsSync(join(folder, "out", "model.kan.safetensors")));
  }));

Deno.test("Ctrl-C after the model is written says that it is there", () =>
  withWorkFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "long.txt"), TEXT.repeat(2000));
    const args = ["compress", "model", "--text", "long.txt", "--data-free", "--backend", "cpu"];
    const { code, error } = await interruptCommandLine(
      [...args, "--threads", "1", "--out", "out"],
      folder,
      /write: done/,
      "SIGINT",
    );
    assert.equal(code, 1, error);
    assert.equal(lastLine(error), "error: interrupted; out had been written before and is whole");
    assert.ok(existsSync(join(folder, "out", "model.kan.safetensors")));
    assert.deepEqual(fileNames(folder), ["long.txt", "model", "out", "text.txt"]);
  }));
