import type { Command } from "commander";

/** What a command runs: its arguments and options, of types that commander does not know, then the run. */
export type CommandAction = (...argumentsAndRun: never[]) => Promise<void>;

/**
 * Makes an action of what `load` loads when the command runs: tfjs takes a second that `--help` and
 * usage errors need not wait for.
 */
export type Start = (load: () => Promise<CommandAction>) => (...given: unknown[]) => Promise<void>;

/** Descriptions that several commands share. */
export const MODEL = "model folder, .gguf file, or name on the Hugging Face hub";
/** What no model means. */
export const EMBEDDED = "(default: the embedded model)";
/** An argument that names a compressed model. */
export const COMPRESSED = "compressed model: a .kan.safetensors file, its URL, or its folder";
/** A folder that `compress` writes, for examples. */
export const OUT_EXAMPLE = "compressed/prose-4m-rate-4bit";

/** Adds examples to a command's help, each without the program's name. */
export function addExamples(program: Command, command: Command, lines: readonly string[]): void {
  const examples = lines.map((line) => `  ${program.name()} ${line}\n`).join("");
  command.addHelpText("after", `\nExamples:\n${examples}`);
}
