import process from "node:process";
import { format } from "node:util";
import { hideCredentials } from "../../data/shown_url.ts";
import { printableLine, printableText } from "../../data/printable.ts";
import { foldText } from "./text_table.ts";

/** The longest line that is written; a file can make a name as long as it likes. */
const LONGEST_LINE = 4000;

/**
 * The only way to stdout and stderr: whatever is written, controls and invisible characters in it
 * are escaped, so that no name, version or text of a file, a model or a server can forge lines,
 * move the cursor or reorder what is read. The program itself styles nothing but its progress bars.
 */
export interface Terminal {
  /** Writes a result and a line break to stdout; on a terminal, long lines are broken at spaces. */
  print(text: string): void;
  /** Writes a value to stdout as a line of JSON. */
  printJson(value: unknown): void;
  /** As `print`, but as it is where stdout is a file or a pipe, for data that a program reads. */
  printData(text: string): void;
  /** Writes one line to stderr, for people; after {@linkcode Terminal.speakJson}, as an event. */
  writeLine(line: string): void;
  /** Writes an error that ends the program: as `writeLine`. */
  writeFailure(message: string): void;
  /** Writes a line of JSON to stderr. */
  writeEvent(event: Readonly<Record<string, unknown>>): void;
  /** From now on all lines on stderr are JSON, those of libraries included. */
  speakJson(): void;
  /** Writes to stdout what has its own line breaks. */
  writeOut(text: string): void;
  /** Writes to stderr what has its own line breaks. */
  writeError(text: string): void;
  /** Gives the console back to who wrote on it before. */
  close(): void;
}

/** Breaks lines where the stream is a terminal. */
function fold(text: string, { isTTY, columns }: NodeJS.WriteStream): string {
  return isTTY && columns > 0 ? foldText(text, columns) : text;
}

const CONSOLE_METHODS = ["debug", "error", "info", "log", "warn"] as const;

/**
 * Takes over stdout and stderr. Until the terminal is closed, what libraries write on the console
 * goes through it as well, to stderr: some warn with words of the files that they read.
 */
export function openTerminal(): Terminal {
  const console = globalThis.console;
  const own = CONSOLE_METHODS.map((name) => [name, console[name]] as const);
  const { log, error } = console;
  let isJson = false;
  const writeEvent = (event: Readonly<Record<string, unknown>>) => {
    // What JSON.stringify leaves of invisible characters is escaped as JSON has it.
    error("%s", printableText(JSON.stringify(event)));
  };
  const tell = (event: "message" | "error", text: string) => {
    if (isJson) writeEvent({ event, text: hideCredentials(text.slice(0, LONGEST_LINE)) });
    else {
      const line = printableLine(event === "error" ? `error: ${text}` : text, LONGEST_LINE);
      error("%s", fold(line, process.stderr));
    }
  };
  for (const name of CONSOLE_METHODS) {
    console[name] = (...words: unknown[]) => {
      const text = format(...words);
      if (isJson) tell("message", text);
      else error("%s", printableText(text));
    };
  }
  return {
    print: (text) => log("%s", fold(printableText(text), process.stdout)),
    printJson: (value) => log("%s", printableText(JSON.stringify(value))),
    printData: (text) => log("%s", process.stdout.isTTY === true ? printableText(text) : text),
    writeLine: (line) => tell("message", line),
    writeFailure: (message) => tell("error", message),
    writeEvent,
    speakJson: () => isJson = true,
    writeOut: (text) => process.stdout.write(printableText(text)),
    writeError: (text) => process.stderr.write(printableText(hideCredentials(text))),
    close() {
      for (const [name, method] of own) console[name] = method;
    },
  };
}
