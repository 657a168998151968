import assert from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import config from "../deno.json" with { type: "json" };
import { findChromium } from "../eval/plots/chromium.ts";
import { runCommandLine, taskCommand } from "./testdata/command_line.ts";
import { withWorkFolder } from "./testdata/work_folder.ts";

const COLORS = ["NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "KANPRESS_DEBUG"];
const SEVERAL_MACHINES = [
  "KANPRESS_REDIS_PASSWORD",
  "KANPRESS_REDIS_CA",
  "KANPRESS_STORE_TOKEN",
  "MSGPACKR_NATIVE_ACCELERATION_DISABLED",
];
const PLACES = [
  "HF_ENDPOINT",
  "HF_TOKEN",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HUGGINGFACE_HUB_CACHE",
  "HF_HUB_OFFLINE",
  "XDG_CACHE_HOME",
  "KANPRESS_CACHE",
  "ORT_DISABLE_TELEMETRY",
  ...SEVERAL_MACHINES,
];

Deno.test("permissions are the least that do", () => {
  const files = { read: true, write: true, net: true };
  // Where `deno task native:install` puts the library that runs models.
  const ffi = ["native/node_modules"];
  const all = { allow: [...COLORS, ...PLACES], ignore: true };
  assert.deepEqual(config.permissions, {
    inspect: { read: true, env: { allow: COLORS, ignore: true } },
    models: { ...files, ffi, sys: ["homedir", "systemMemoryInfo"], env: all },
    worker: {
      ...files,
      sys: ["systemMemoryInfo"],
      env: { allow: [...COLORS, ...SEVERAL_MACHINES], ignore: true },
    },
    plots: {
      ...files,
      ffi,
      sys: true,
      run: ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
      env: all,
    },
  });
  const sets = {
    inspect: ["inspect"],
    models: ["compress", "decompress", "sample", "report", "publish-model", "demo"],
    worker: ["worker"],
    plots: ["evaluate", "sweep", "inspect:plot"],
  };
  for (const [set, tasks] of Object.entries(sets)) {
    for (const task of tasks) {
      const command = task.split(":")[0];
      assert.equal(taskCommand(task), `deno run -q -P=${set} cli/task.ts ${command}`);
    }
  }
});

Deno.test("every command does its work with its task's permissions", () =>
  withWorkFolder(async (folder) => {
    const run = async (task: string, ...args: string[]) => {
      const [command = ""] = task.split(":");
      const { code, out, error } = await runCommandLine([command, ...args], { cwd: folder, task });
      assert.equal(code, 0, `${task}: ${error}`);
      return out;
    };
    const measured = ["--text", "text.txt", "--threads", "2"];
    await run("sample", "model", "--tokens", "32", "--out", "sample.txt");
    // With workers, and with calibration, which is kept.
    const small = ["--calibration", "text.txt", "--bits", "8", "--out", "small"];
    await run("compress", "model", ...measured, ...small);
    assert.ok(existsSync(join(folder, "model", ".kanpress")));
    assert.match(await run("inspect", "small"), /bits per weight/);
    await run("inspect:plot", "small", "--plot", "bits.svg");
    const json = await run("evaluate", "small", ...measured, "--json", "--plot", "trade.svg");
    await run("evaluate", "small", "--original", "model", "--prompt", "Once", "--max-tokens", "2");
    await Deno.writeTextFile(join(folder, "results.json"), json);
    await run("report", "results.json");
    await run("decompress", "small", "--out", "restored", "--onnx", "--gguf", "q8_0");
    const points = ["--presets", "nf4", "--bits", "4", "--data-free", "--out", "points"];
    await run("sweep", "model", ...measured, ...points, "--plot", "points.png");
    if (findChromium() === undefined) return;
    for (const name of ["bits.svg", "trade.svg"]) {
      // This project's own renderer makes no such class.
      assert.match(await Deno.readTextFile(join(folder, name)), /class="main-svg"/);
    }
  }));

Deno.test("inspect needs nothing but to read, and says what it may not do", () =>
  withWorkFolder(async (folder) => {
    const make = ["compress", "model", "--text", "text.txt", "--data-free", "--out", "small"];
    assert.equal((await runCommandLine(make, { cwd: folder })).code, 0);
    const reading = { cwd: folder, permissions: ["--allow-read", "--no-prompt"] };
    const { code, out, error } = await runCommandLine(["inspect", "small"], reading);
    assert.equal(code, 0, error);
    assert.match(out, /bits per weight/);
    for (const permissions of [reading, { cwd: folder, task: "inspect" }]) {
      const plot = await runCommandLine(["inspect", "small", "--plot", "a.svg"], permissions);
      assert.equal(plot.code, 1);
      assert.match(plot.error, /^error: a\.svg: Deno may not touch it; .*permission$/m);
      const missing = await runCommandLine(["inspect", "nowhere"], permissions);
      assert.match(missing.error, /^error: nowhere: does not exist/);
    }
  }));
