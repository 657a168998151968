/**
 * What does compressing real models cost, beside llama.cpp's own quantizations of them? Compresses
 * each model to several rates, has llama.cpp (the library of npm's node-llama-cpp) quantize the same
 * original, with an importance matrix of the same tokens, and measures all of them in the same way:
 * size, perplexity, divergence and agreement on several texts, and zero-shot tasks. Every result is
 * kept in `--out` as soon as it is known; a second run does what is missing.
 *
 *     deno run --allow-all bench/real_models.ts HuggingFaceTB/SmolLM2-135M-Instruct
 *     deno run --allow-all bench/real_models.ts ./my-model --calibration wiki=train.txt \
 *       --text wiki=test.txt --text novel=emma.txt --task hellaswag=hellaswag_val.jsonl --limit 500
 *
 * `bench/fetch_texts.ts` fetches texts that people measure on.
 */
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import { emptyProgram, type ProgramOutput } from "../cli/program.ts";
import { runProgram } from "../cli/run_program.ts";
import type { Start } from "../cli/options/command.ts";
import { integerBetween, nonEmpty } from "../cli/options/options.ts";
import { addComputeOptions } from "../cli/options/shared_options.ts";
import { taskNames } from "../eval/tasks/registry.ts";
import { rates, types } from "./support/real_models/lists.ts";
import { namedFile, severalNamedFiles } from "./support/real_models/named_file.ts";

const NAME = "deno run --allow-all bench/real_models.ts";
const DESCRIPTION = "Compress real models to several rates, set them beside llama.cpp's " +
  "quantizations of the same originals, and print tables of what was measured.";

function create(name: string, start: Start, output: ProgramOutput): Command {
  const program = emptyProgram(name, DESCRIPTION, output)
    .addArgument(new Argument("<models...>", "folders, GGUF files or names on the hub"))
    .addOption(
      new Option("--bits <list>", "rates of kanpress").argParser(rates)
        .default([2.5, 3, 3.5, 4], "2.5,3,3.5,4"),
    )
    .addOption(
      new Option("--types <list>", "types of llama.cpp, or none").argParser(types)
        .default(["Q4_K_M", "Q3_K_M", "Q2_K", "IQ3_XXS"], "Q4_K_M,Q3_K_M,Q2_K,IQ3_XXS"),
    )
    .option("--calibration <name=file>", "text to calibrate on (default: of many kinds)", namedFile)
    .option(
      "--calibration-tokens <n>",
      "at most n tokens of it",
      integerBetween(2, 2 ** 31 - 1),
      20_480,
    )
    .addOption(
      new Option(
        "--text <name=file>",
        "text to measure on, again for others; file#50-100 is its second half",
      ).argParser(severalNamedFiles).default([], "embedded"),
    )
    .option("--chunks <n>", "512 tokens each, of every text", integerBetween(1, 1e6), 16)
    .addOption(
      new Option("--task <name=file>", "zero-shot task, again for others").argParser(severalTasks)
        .default([], "none"),
    )
    .option("--limit <n>", "ask at most n questions of each task", integerBetween(1, 1e9))
    .option("--out <folder>", "for files and results", nonEmpty, "compressed/real-models")
    .option("--llama-cpp <folder>", "with libllama (default: npm's node-llama-cpp)", nonEmpty)
    .option("--tables", "print what has been measured, and measure nothing");
  return addComputeOptions(program)
    .action(start(async () => (await import("./support/real_models/run.ts")).realModels));
}

function severalTasks(text: string, before: Parameters<typeof severalNamedFiles>[1]) {
  const tasks = severalNamedFiles(text, before);
  const { name } = tasks.at(-1)!;
  if (taskNames.includes(name)) return tasks;
  throw new InvalidArgumentError(`${name} is none of ${taskNames.join(", ")}.`);
}

if (import.meta.main) Deno.exit(await runProgram(NAME, Deno.args, create));
