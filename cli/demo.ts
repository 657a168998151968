import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { readJsonObject } from "../data/json_file.ts";
import { type ByteSource, InputError, memorySource, openFile } from "../data/mod.ts";
import { joinSettings } from "../data/tokenizer/special_tokens.ts";
import { type DemoModel, serveDemo } from "../demo/serve.ts";
import { compress } from "./compress/compress.ts";
import { type CompressedArgument, requireCompressed } from "./input/compressed_argument.ts";
import { type Run, startRun } from "./terminal/run.ts";

/** Options of `demo`. */
export interface DemoOptions {
  /** Port of the page on the loopback interface; 0 takes a free one. */
  readonly port: number;
}

/** What is compared where no models are named: bits per weight of the embedded model. */
const RATES = [4, 2.5];

/** `demo`: serves a page in which compressed models are decoded and write stories. */
export async function demo(
  models: readonly string[],
  { port }: DemoOptions,
  run: Run,
): Promise<void> {
  const names = models.length > 0 ? models : await compressEmbedded(run);
  const served: DemoModel[] = [];
  for (const name of names) served.push(await openDemoModel(await requireCompressed(name)));
  const { url, finished } = await serveDemo(served, { port, signal: run.signal });
  run.expectInterrupt();
  run.signal.addEventListener("abort", () => {
    // After the ^C that the terminal shows.
    if (run.isTerminal) run.writeLine("");
    run.writeLine("the server has ended");
  });
  run.print(`open ${url} in a browser; Ctrl-C ends the server`);
  await finished;
}

async function openDemoModel({ source, folder }: CompressedArgument): Promise<DemoModel> {
  const json = join(folder ?? "", "tokenizer.json");
  if (folder === undefined || !existsSync(json)) {
    throw new InputError(
      `${source.name}: has no tokenizer.json beside it; name a folder that compress wrote`,
    );
  }
  const openThere = async (name: string) =>
    existsSync(join(folder, name)) ? await openFile(join(folder, name)) : undefined;
  const generationConfig = await openThere("generation_config.json");
  const chatTemplate = await openThere("chat_template.jinja");
  return {
    name: basename(folder),
    source,
    tokenizer: await openFile(json),
    tokenizerConfig: await openSettings(folder),
    ...(generationConfig !== undefined && { generationConfig }),
    ...(chatTemplate !== undefined && { chatTemplate }),
  };
}

/** What the folder's files together say about the tokenizer, as one file. */
async function openSettings(folder: string): Promise<ByteSource> {
  const read = async (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? await readJsonObject(await openFile(path)) : undefined;
  };
  const settings = joinSettings(
    await read("tokenizer_config.json"),
    await read("special_tokens_map.json"),
    {},
  );
  return memorySource(new TextEncoder().encode(JSON.stringify(settings)), "tokenizer_config.json");
}

/** Compresses the embedded model at two rates, unless that was done before. */
async function compressEmbedded(run: Run): Promise<string[]> {
  const folders: string[] = [];
  for (const bits of RATES) {
    const out = `compressed/demo-${bits}bit`;
    if (existsSync(out)) {
      run.writeLine(`taking ${out}, made before; delete it to make it again`);
    } else await compressInto(out, bits, run);
    folders.push(out);
  }
  return folders;
}

async function compressInto(out: string, bits: number, run: Run): Promise<void> {
  run.writeLine(`compressing the embedded model to ${bits} bits per weight`);
  await compress(
    undefined,
    {
      bits,
      out,
      seed: 0,
      threads: navigator.hardwareConcurrency,
      backend: "wasm",
      tokens: 5120,
      // The second rate need not calibrate again.
      cache: true,
    },
    startRun({ ...run, print: run.writeLine }),
  );
}
