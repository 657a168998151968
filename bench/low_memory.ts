/**
 * How much memory does `evaluate --low-memory` save? Makes a random model of GPT-2's sizes (124
 * million parameters), compresses it, and evaluates both on 1,024 tokens in one worker, the ordinary
 * way and with `--low-memory`; then the compressed model alone, and a model of 7,936 parameters, which
 * shows what the program itself takes. Prints the peaks of the resident memory (Linux only), and
 * whether the figures are the same.
 *
 *     deno run --allow-all bench/low_memory.ts
 */
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { writeTinyModel } from "../cli/testdata/tiny_model.ts";
import { GPT2_CONFIG, writeGpt2SizedModel } from "./support/gpt2_sized/write_model.ts";
import { measureProcess } from "./support/measured_process.ts";
import { readOptions } from "./support/command_line.ts";
import { printTable } from "./support/theory/table.ts";

readOptions({});

const TOKENS = ["--tokens", "1024"];

const rows: string[][] = [];

async function evaluate(subject: string, args: readonly string[]) {
  const run = await measureProcess(["evaluate", subject, ...TOKENS, "--threads", "1", ...args]);
  const { seconds: _, command: __, ...figures } = run.output;
  return { figures, gigabytes: run.peak / 1e9 };
}

async function compare(name: string, subject: string): Promise<void> {
  const ordinary = await evaluate(subject, []);
  const low = await evaluate(subject, ["--low-memory"]);
  const same = isDeepStrictEqual(low.figures, ordinary.figures);
  const peaks = [ordinary, low].map(({ gigabytes }) => `${gigabytes.toFixed(2)} GB`);
  rows.push([name, ...peaks, same ? "the same" : "DIFFERENT"]);
}

const folder = await Deno.makeTempDir();
try {
  const model = join(folder, "model"), tiny = join(folder, "tiny"), out = join(folder, "out");
  await writeGpt2SizedModel(model);
  await writeTinyModel(tiny);
  await measureProcess(["compress", model, "--data-free", "--out", out, ...TOKENS]);
  const { size } = await Deno.stat(join(out, "model.kan.safetensors"));
  const layer = 12 * GPT2_CONFIG.n_embd ** 2 * 4;
  await compare("original and compressed", out);
  await Deno.remove(model, { recursive: true });
  await compare("compressed alone", out);
  await compare("a model of 7,936 parameters", tiny);
  printTable(["peak of resident memory", "ordinary", "`--low-memory`", "figures"], rows);
  console.log(
    `\nthe compressed file has ${(size / 1e6).toFixed(0)} MB, a layer in float32 ` +
      `${(layer / 1e6).toFixed(0)} MB, the embedding ` +
      `${(4 * GPT2_CONFIG.vocab_size * GPT2_CONFIG.n_embd / 1e6).toFixed(0)} MB`,
  );
} finally {
  await Deno.remove(folder, { recursive: true });
}
