import assert from "node:assert";
import { join } from "node:path";
import { runCommandLine } from "./testdata/command_line.ts";
import { writeTinyModel } from "./testdata/tiny_model.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

Deno.test("sample says before it begins how long writing is going to take", () =>
  withWorkFolder(async (folder) => {
    await writeTinyModel(join(folder, "model"));
    const forecastOf = async (tokens: number) => {
      const { code, error } = await runCommandLine(
        ["sample", "model", "--tokens", String(tokens), "--progress", "json"],
        { cwd: folder },
      );
      assert.equal(code, 0, error);
      const events = error.trim().split("\n").map((line) => JSON.parse(line));
      const forecast = events.findIndex(({ event }) => event === "forecast");
      const writes = events.findIndex(({ phase }) => phase === "sample");
      assert.ok(forecast >= 0 && forecast < writes, error);
      const [{ name, seconds }] = events[forecast].phases;
      assert.equal(name, "sample");
      return seconds as number;
    };
    assert.ok(await forecastOf(64) > await forecastOf(32));
  }));
