/**
 * How many bytes does kanpress need for the divergence of llama.cpp's types? Compresses each model to
 * several rates with everything at its default, has llama.cpp quantize the same original with an
 * importance matrix of the same tokens, measures all of them on text that nobody calibrated on, and
 * prints which share of llama.cpp's bytes gives the same mean divergence, whole file counted. Every
 * result is kept in `--out` as soon as it is known: a run that was stopped goes on where it was.
 *
 *     deno run --allow-all bench/quality.ts data/embedded/prose-4m
 *     deno run --allow-all bench/quality.ts ./SmolLM2-135M-Instruct \
 *       --text WikiText-2=texts/wikitext2-valid.txt#50-100 --text Emma=texts/emma.txt
 *
 * With `--no-correct-drift` files are made as `compress --no-correct-drift` makes them.
 *
 * `bench/fetch_texts.ts` fetches these texts. Without `--text` the embedded text is measured on. Where llama.cpp's library (npm's node-llama-cpp,
 * or `--llama-cpp`) cannot be had, its figures are those that an earlier run left in `--out`.
 * Of SmolLM2-135M on two cores, a rate takes one to two minutes to make and two to measure, and the
 * calibration before them about ten.
 */
import { Argument, type Command, Option } from "commander";
import type { Start } from "../cli/options/command.ts";
import { integerBetween, nonEmpty } from "../cli/options/options.ts";
import { addComputeOptions } from "../cli/options/shared_options.ts";
import { emptyProgram, type ProgramOutput } from "../cli/program.ts";
import { runProgram } from "../cli/run_program.ts";
import { severalNamedFiles } from "./support/real_models/named_file.ts";
import { rates, types } from "./support/real_models/lists.ts";

const NAME = "deno run --allow-all bench/quality.ts";
const DESCRIPTION =
  "Show which share of the bytes of llama.cpp's types kanpress needs for the same " +
  "divergence from the original.";

function create(name: string, start: Start, output: ProgramOutput): Command {
  const program = emptyProgram(name, DESCRIPTION, output)
    .addArgument(new Argument("<models...>", "folders, GGUF files or names on the hub"))
    .addOption(
      new Option("--bits <list>", "rates of kanpress").argParser(rates)
        .default([2, 2.5, 3, 3.5, 4], "2,2.5,3,3.5,4"),
    )
    .addOption(
      new Option("--types <list>", "types of llama.cpp, or none").argParser(types)
        .default(["Q4_K_M", "Q3_K_M", "IQ3_XXS", "Q2_K"], "Q4_K_M,Q3_K_M,IQ3_XXS,Q2_K"),
    )
    .addOption(
      new Option(
        "--text <name=file>",
        "text to measure on, again for others; file#50-100 is its second half",
      ).argParser(severalNamedFiles).default([], "embedded"),
    )
    .option(
      "--calibration-tokens <n>",
      "at most n tokens of the texts that all calibrate on",
      integerBetween(2, 2 ** 31 - 1),
      32_768,
    )
    .option("--chunks <n>", "512 tokens each, of every text", integerBetween(1, 1e6), 16)
    .option("--no-correct-drift", "as compress --no-correct-drift does it")
    .option("--out <folder>", "for files and results", nonEmpty, "compressed/quality")
    .option("--llama-cpp <folder>", "with libllama (default: npm's node-llama-cpp)", nonEmpty)
    .option("--tables", "print what has been measured, and measure nothing");
  return addComputeOptions(program)
    .action(start(async () => (await import("./support/real_models/quality.ts")).quality));
}

if (import.meta.main) Deno.exit(await runProgram(NAME, Deno.args, create));
