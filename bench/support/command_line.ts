import { parseArgs, type ParseArgsConfig } from "node:util";
import { InputError } from "../../data/mod.ts";

type OptionsOf<T extends ParseArgsConfig["options"]> = ReturnType<
  typeof parseArgs<{ options: T }>
>["values"];

/** Ends the bench with status 2 and a line that says what it lacks. */
export function endFor(lack: string): never {
  console.error(lack);
  Deno.exit(2);
}

/** The options that a bench was given, of those that it knows; ends with a line for others. */
export function readOptions<const T extends NonNullable<ParseArgsConfig["options"]>>(
  options: T,
): OptionsOf<T> {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return endFor(error instanceof Error ? error.message : String(error));
  }
}

/** What `work` gives; ends with its line if a file, a model or a program that it needs is missing. */
export async function orEnd<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof InputError) return endFor(error.message);
    throw error;
  }
}
