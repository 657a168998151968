import { Command } from "commander";
import { addCompress } from "./compress/command.ts";
import { addDecompress } from "./decompress_command.ts";
import { addEvaluate } from "./evaluate/command.ts";
import { addInspect } from "./inspect_command.ts";
import type { Start } from "./options/command.ts";
import { addProgressOption } from "./options/shared_options.ts";
import { refuseIgnoredOptions } from "./options/option_conflicts.ts";
import { addPageCommands } from "./page_commands.ts";
import { addPublishModel } from "./publish_model_command.ts";
import { addSample } from "./sample_command.ts";
import { addSweep } from "./sweep/command.ts";
import { addWorker } from "./worker_command.ts";
import { usageErrorText } from "./terminal/errors.ts";

/** What adds each command, in the order of the help. */
const COMMANDS = [
  addCompress,
  addEvaluate,
  addInspect,
  addDecompress,
  addSample,
  addSweep,
  addWorker,
  addPublishModel,
  addPageCommands,
];

/** Where a program's messages go. */
export interface ProgramOutput {
  /** Help that was asked for. */
  readonly out: (text: string) => void;
  /** Usage errors. */
  readonly error: (text: string) => void;
}

/** A program without commands, which throws commander's CommanderError where it is misused. */
export function emptyProgram(name: string, description: string, write: ProgramOutput): Command {
  return new Command(name)
    .description(description)
    .exitOverride()
    .configureOutput({
      writeOut: write.out,
      writeErr: write.error,
      outputError: (message, writeError) => writeError(`${usageErrorText(message)}\n`),
    })
    .showHelpAfterError("(add --help for the options)");
}

/**
 * The program with its commands. `name` is how the user calls it, such as `deno task`; `start` runs
 * them; messages go to `write`. Misuse throws commander's CommanderError or a UsageError.
 */
export function createProgram(name: string, start: Start, write: ProgramOutput): Command {
  const description =
    "Compress language models with Kolmogorov-Arnold levels, and measure the cost.";
  const program = emptyProgram(name, description, write)
    .hook("preAction", (_, command) => refuseIgnoredOptions(command));
  for (const add of COMMANDS) add(program, start);
  for (const command of program.commands) addProgressOption(command);
  return program;
}
