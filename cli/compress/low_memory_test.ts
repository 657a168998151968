import assert from "node:assert";
import { join } from "node:path";
import { isNativeInstalled } from "../../eval/native/runtime.ts";
import { runCommandLine } from "../testdata/command_line.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

const ARGS = [
  "compress",
  "model",
  "--calibration",
  "text.txt",
  "--text",
  "text.txt",
  "--no-cache",
  // Drift takes both models in memory.
  "--no-correct-drift",
  "--json",
];

for (const backend of ["wasm", "native"] as const) {
  Deno.test({
    name: `compress gives the same bytes and figures where memory is short, on ${backend}`,
    ignore: backend === "native" && !isNativeInstalled(),
    fn: () =>
      withWorkFolder(async (folder) => {
        const run = async (out: string, ...more: string[]) => {
          const args = [...ARGS, "--backend", backend, "--threads", "2", ...more, "--out", out];
          const { code, out: printed, error } = await runCommandLine(args, { cwd: folder });
          assert.equal(code, 0, error);
          // Layer by layer, likelihoods add up in another order.
          const rounded = (_: string, value: unknown) =>
            typeof value === "number" ? Number(value.toPrecision(9)) : value;
          const { perplexity, klDivergence, calibration } = JSON.parse(printed, rounded);
          return {
            error,
            bytes: await Deno.readFile(join(folder, out)),
            figures: { perplexity, klDivergence, calibration },
          };
        };
        const whole = await run("whole.kan.safetensors");
        assert.doesNotMatch(whole.error, /of memory is there/);
        const short = await run("short.kan.safetensors", "--memory", "1MB");
        assert.match(
          short.error,
          /1.00 MB of memory is there, .* weights and moments are kept on disk/,
        );
        assert.deepEqual(short.bytes, whole.bytes);
        assert.deepEqual(short.figures, whole.figures);
        const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
        assert.ok(!names.some((name) => name.includes("tmp-kanpress")), `${names}`);
      }),
  });
}
