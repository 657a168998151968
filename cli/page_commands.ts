import type { Command } from "commander";
import type { Start } from "./options/command.ts";
import { integerBetween, nonEmpty, someText } from "./options/options.ts";

/** Adds the commands that make pages for browsers. */
export function addPageCommands(program: Command, start: Start): void {
  program.command("demo")
    .description("Serve a page in which compressed models are decoded and write stories.")
    .argument(
      "[models...]",
      "folders that compress wrote (default: those in compressed/, the newest first); the embedded " +
        "model is there too, at two rates",
    )
    .option("--port <n>", "port of the page; 0 takes a free one", integerBetween(0, 65535), 8017)
    .option("--build <folder>", "write the page for a host of static files, and end", nonEmpty)
    .addHelpText(
      "after",
      `\nExamples:\n  ${program.name()} demo\n` +
        `  ${program.name()} demo compressed/prose-4m-rate-4bit compressed/prose-4m-rate-3bit\n` +
        `  ${program.name()} demo compressed/my-model-rate-3bit --build site\n`,
    )
    .action(start(async () => (await import("./demo.ts")).demo));
  program.command("report")
    .description(
      "Make one page, to be opened from disk, from what compress, evaluate or sweep printed with --json.",
    )
    .argument(
      "<results>",
      "JSON file: one result, a list of them, one a line, or a sweep.json",
      nonEmpty,
    )
    .option("--out <file>", "the page (default: the results' name with .html)", nonEmpty)
    .option("--prompt <text>", "what the models continue", someText, "She opened the door and")
    .addHelpText(
      "after",
      `\nExamples:\n  ${program.name()} report results.json --prompt "The old house"\n` +
        `  ${program.name()} report sweeps/mine/sweep.json\n`,
    )
    .action(start(async () => (await import("./report_command.ts")).report));
}
