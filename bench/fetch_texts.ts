/**
 * Which texts do people measure language models on, and where are they? Fetches WikiText-2's three
 * splits (CC BY-SA) and TinyStories' validation split (CDLA-Sharing) from the Hugging Face hub, and a
 * novel, Jane Austen's Emma (public domain), from Project Gutenberg, for the benches that compare
 * models on several texts.
 *
 *     deno run --allow-all bench/fetch_texts.ts texts
 *     deno run --allow-all bench/real_models.ts ./my-model --calibration train=texts/wikitext2-train.txt \
 *       --text WikiText-2=texts/wikitext2-test.txt --text Emma=texts/emma.txt
 *
 * A text that is there is not fetched again.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { emptyProgram, type ProgramOutput } from "../cli/program.ts";
import { runProgram } from "../cli/run_program.ts";
import type { Start } from "../cli/options/command.ts";
import type { Run } from "../cli/terminal/run.ts";
import { InputError } from "../data/mod.ts";
import { makeFolder } from "../data/hub_cache.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { readText } from "../cli/evaluate/measure.ts";

const NAME = "deno run --allow-all bench/fetch_texts.ts";
const WIKITEXT = "hf://datasets/Salesforce/wikitext/wikitext-2-raw-v1";
const STORIES =
  "https://huggingface.co/datasets/roneneldan/TinyStories/resolve/main/TinyStories-valid.txt";
const NOVEL = "https://www.gutenberg.org/cache/epub/158/pg158.txt";

/** Where each text comes from. */
const TEXTS: Readonly<Record<string, () => Promise<string>>> = {
  "wikitext2-train.txt": () => readText(`${WIKITEXT}/train-00000-of-00001.parquet`, "--text"),
  "wikitext2-valid.txt": () => readText(`${WIKITEXT}/validation-00000-of-00001.parquet`, "--text"),
  "wikitext2-test.txt": () => readText(`${WIKITEXT}/test-00000-of-00001.parquet`, "--text"),
  "tinystories-valid.txt": async () => separated(await download(STORIES)),
  "emma.txt": async () => withoutFrame(await download(NOVEL)),
};

function create(name: string, start: Start, output: ProgramOutput): Command {
  return emptyProgram(name, "Fetch texts that language models are measured on.", output)
    .argument("<folder>", "where they go")
    .action(start(() => Promise.resolve(fetchTexts)));
}

async function fetchTexts(folder: string, _options: unknown, run: Run): Promise<void> {
  await makeFolder(folder);
  for (const [name, read] of Object.entries(TEXTS)) {
    const path = join(folder, name);
    if (existsSync(path)) {
      run.print(`${path} is there`);
      continue;
    }
    const text = await run.phase(name, () => read());
    await writeFileAtomically(path, [new TextEncoder().encode(text)], { signal: run.signal });
    run.print(`written to ${path}`);
  }
}

async function download(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new InputError(`${url}: cannot be reached (${(error as Error).message})`, {
      cause: error,
    });
  }
  if (!response.ok) throw new InputError(`${url}: the server answers ${response.status}`);
  return await response.text();
}

/** The novel itself: Project Gutenberg puts a licence before and after it. */
function withoutFrame(text: string): string {
  const [, body = text] =
    /^\*\*\* START OF [^\n]*\n([^]*?)^\*\*\* END OF /m.exec(text.replaceAll("\r\n", "\n")) ?? [];
  return `${body.trim()}\n`;
}

/** Stories with an empty line between them in place of the token that ends a text. */
function separated(text: string): string {
  return text.replaceAll("\r\n", "\n").split("<|endoftext|>").map((story) => story.trim())
    .filter((story) => story !== "").join("\n\n") + "\n";
}

if (import.meta.main) Deno.exit(await runProgram(NAME, Deno.args, create));
