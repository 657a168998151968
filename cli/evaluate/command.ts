import type { Command } from "commander";
import { addExamples, EMBEDDED, MODEL, OUT_EXAMPLE, type Start } from "../options/command.ts";
import {
  figureFile,
  integerBetween,
  nonEmpty,
  numberBetween,
  someText,
} from "../options/options.ts";
import { CONTINUATION_TOKENS, REPLY_TOKENS } from "../options/evaluate_options.ts";
import { addMeasureOptions, addPartsOption, addTaskOptions } from "../options/shared_options.ts";

/** Adds `evaluate` to the program. */
export function addEvaluate(program: Command, start: Start): void {
  const command = program.command("evaluate")
    .description("Measure perplexity, and a compressed model's distance to its original.")
    .argument("[model]", `${MODEL}, or compressed model ${EMBEDDED}`, nonEmpty)
    .option(
      "--original <model>",
      "what to compare with (default: as recorded, if it is on this machine; none for a model)",
      nonEmpty,
    )
    .option("--plot <file>", "draw size against perplexity: .png, .svg or .html", figureFile)
    .option("--low-memory", "decode and run one layer at a time, with the same figures")
    .option("--log-samples <file>", "write each question and its answers, as JSONL", nonEmpty)
    .option(
      "--against <file>",
      "what an earlier evaluate --json printed, to compare with",
      nonEmpty,
    )
    .option("--prompt <text>", "show how the models continue this text instead", someText)
    .option("--chat <text>", "show what the models, if trained to chat, answer to this", someText)
    .option("--system <text>", "the system message of the chat", someText)
    .option(
      "--max-tokens <n>",
      `length of a continuation (default: ${CONTINUATION_TOKENS}; ${REPLY_TOKENS} of a chat)`,
      integerBetween(1, 100_000),
    )
    .option("--temperature <t>", "0 takes the likeliest token", numberBetween(0, 100), 0.8)
    .option(
      "--top-k <n>",
      "choose among the n likeliest tokens; 0 for all",
      integerBetween(0, 1e6),
      40,
    )
    .option("--top-p <p>", "choose among this much probability", numberBetween(0.0001, 1), 0.95)
    .option("--seed <n>", "seed of the sampling", integerBetween(0, 2 ** 32 - 1), 0);
  addTaskOptions(command, "ask the questions of a task instead");
  addPartsOption(addMeasureOptions(command))
    .action(start(async () => (await import("./evaluate.ts")).evaluate));
  addExamples(program, command, [
    "evaluate",
    `evaluate ${OUT_EXAMPLE} --text my.txt`,
    "evaluate --text my.txt --protocol huggingface --stride 512",
    "evaluate small.kan.safetensors --original ./my-model --json",
    `evaluate ${OUT_EXAMPLE} --prompt "The old house"`,
    'evaluate compressed/my-chat-model --chat "Why is the sky blue?"',
    `evaluate ${OUT_EXAMPLE} --task hellaswag`,
  ]);
}
