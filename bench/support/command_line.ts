/**
 * How benches read their command lines, and end: whatever imports this ends with status 2 and one line,
 * without a stack trace, where an option is wrong or a file, a model or a program is missing.
 *
 * @module
 */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { InputError } from "../../data/input_error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;
type ValuesOf<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>["values"];

// An error that nobody catches, those of a bench's own top level among them.
globalThis.addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof InputError)) return;
  event.preventDefault();
  endFor(event.reason.message);
});

/** Ends the bench with status 2 and a line that says what it lacks. */
export function endFor(lack: string): never {
  console.error(lack);
  Deno.exit(2);
}

/** What {@linkcode readCommandLine} is told beside the options. */
export interface CommandLineForm {
  /** What the words that are no options stand for, in their order; all may be left out. */
  readonly words?: readonly string[];
  /** Options that take several numbers though their default is one. */
  readonly lists?: readonly string[];
}

/**
 * The options and the other words that a bench was given. Ends with a line for options that it does
 * not know, for more words than it takes, and where the default is a number and the value is none;
 * `--help` prints what the bench says of itself.
 */
export function readCommandLine<const T extends Options>(
  options: T,
  { words = [], lists = [] }: CommandLineForm = {},
): { readonly values: ValuesOf<T>; readonly words: readonly string[] } {
  if (Deno.args.includes("--help")) help(options, words);
  const { values, positionals } = parse(options);
  const surplus = positionals[words.length];
  if (surplus !== undefined) {
    endFor(`${surplus}: the bench takes ${words.join(" ") || "options only"}; see --help`);
  }
  for (const [name, option] of Object.entries(options)) {
    const value = values[name as keyof typeof values];
    const problem = numberProblem(option, value, lists.includes(name));
    if (problem !== undefined) endFor(`--${name} ${value}: ${problem}`);
  }
  return { values, words: positionals };
}

/** The options that a bench was given, as {@linkcode readCommandLine} reads them. */
export function readOptions<const T extends Options>(
  options: T,
  form: Pick<CommandLineForm, "lists"> = {},
): ValuesOf<T> {
  return readCommandLine(options, form).values;
}

function parse<const T extends Options>(options: T) {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split(/\. |\n/);
    return endFor(`${reason}; see --help`);
  }
}

/** What is wrong with a value whose default is a number or several; undefined if nothing is. */
function numberProblem(
  { default: usual }: Options[string],
  value: unknown,
  isList: boolean,
): string | undefined {
  const isNumber = (text: string) => text.trim() !== "" && Number(text) >= 0;
  if (typeof usual !== "string" || !usual.split(",").every(isNumber)) return undefined;
  if (isList || usual.includes(",")) {
    return value === "" || String(value).split(",").every(isNumber)
      ? undefined
      : "give numbers, as in 2,2.5";
  }
  return isNumber(String(value)) ? undefined : `give a number, as in ${usual}`;
}

function help(options: Options, words: readonly string[]): never {
  const of = ({ type, default: usual }: Options[string]) =>
    type === "boolean" ? "" : ` VALUE${usual === undefined ? "" : ` (default ${usual})`}`;
  const lines = Object.entries(options).map(([name, option]) => `  --${name}${of(option)}`);
  const takes = [...(words.length > 0 ? [`  [${words.join("] [")}]`] : []), ...lines];
  console.log(
    [header(), "", takes.length > 0 ? "Takes:" : "Takes no options.", ...takes].join("\n"),
  );
  Deno.exit(0);
}

/** What stands at the head of the bench's file, where that may be read. */
function header(): string {
  try {
    const text = Deno.readTextFileSync(new URL(Deno.mainModule));
    const [, comment = ""] = /^\/\*\*\n([^]*?)\n \*\//.exec(text) ?? [];
    return comment.replaceAll(/^ \* ?/gm, "").replace(/\n*@module\s*$/, "");
  } catch {
    return "What the bench measures is said at the head of its file.";
  }
}
