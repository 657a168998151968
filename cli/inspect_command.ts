import type { Command } from "commander";
import { addExamples, COMPRESSED, OUT_EXAMPLE, type Start } from "./options/command.ts";
import { figureFile, nonEmpty } from "./options/options.ts";
import { TASKS } from "./terminal/program_name.ts";

/** Adds `inspect` to the program. */
export function addInspect(program: Command, start: Start): void {
  const command = program.command("inspect")
    .description(
      "Show the hierarchy in a compressed file: levels, tensors, bits; or what a GGUF file holds.",
    )
    .argument("<file>", `${COMPRESSED}, or a .gguf file`, nonEmpty)
    .option("--plot <file>", "draw the bits of each layer: .png, .svg or .html", figureFile)
    .option("--json", "one JSON object on stdout")
    .action(start(async () => (await import("./inspect.ts")).inspect));
  if (program.name() === TASKS) {
    command.addHelpText(
      "after",
      `\n${TASKS} inspect may only read; for --plot or a URL, take inspect:plot.`,
    );
  }
  addExamples(program, command, [`inspect ${OUT_EXAMPLE}`]);
}
