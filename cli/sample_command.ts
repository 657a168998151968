import type { Command } from "commander";
import { addExamples, EMBEDDED, MODEL, type Start } from "./options/command.ts";
import { integerBetween, nonEmpty } from "./options/options.ts";
import { addComputeOptions } from "./options/shared_options.ts";

/** Adds `sample` to the program. */
export function addSample(program: Command, start: Start): void {
  const command = program.command("sample")
    .description("Let a model write a text that it can be calibrated on, drawn at temperature 1.")
    .argument("[model]", `${MODEL} ${EMBEDDED}`, nonEmpty)
    .option("--tokens <n>", "about how many tokens", integerBetween(2, 2 ** 31 - 1), 16_384)
    .option("--context <n>", "tokens of each paragraph", integerBetween(2, 2 ** 20), 512)
    .option("--chat", "write conversations, both sides, through the model's chat template")
    .option("--seed <n>", "seed of the draws", integerBetween(0, 2 ** 32 - 1), 0)
    .option("--out <file>", "file to write (default: stdout)", nonEmpty);
  addComputeOptions(command)
    .action(start(async () => (await import("./sample.ts")).sample));
  addExamples(program, command, [
    `sample ./my-model --out calibration.txt`,
    `sample ./my-chat-model --chat --out conversations.txt`,
  ]);
}
