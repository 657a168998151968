import process from "node:process";
import { format } from "node:util";
import { hideCredentials } from "../../data/shown_url.ts";
import { printableLine, printableText } from "../../data/printable.ts";

/** The longest line that is written; a file can make a name as long as it likes. */
const LONGEST_LINE = 4000;

/**
 * The only way to stdout and stderr: whatever is written, controls and invisible characters in it
 * are escaped, so that no name, version or text of a file, a model or a server can forge lines,
 * move the cursor or reorder what is read. The program itself styles nothing but its progress bars.
 */
export interface Terminal {
  /** Writes a result and a line break to stdout. */
  print(text: string): void;
  /** As `print`, but as it is where stdout is a file or a pipe, for data that a program reads. */
  printData(text: string): void;
  /** Writes one line to stderr. */
  writeLine(line: string): void;
  /** Writes to stdout what has its own line breaks. */
  writeOut(text: string): void;
  /** Writes to stderr what has its own line breaks. */
  writeError(text: string): void;
  /** Gives the console back to who wrote on it before. */
  close(): void;
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
  for (const name of CONSOLE_METHODS) {
    console[name] = (...words: unknown[]) => error("%s", printableText(format(...words)));
  }
  return {
    print: (text) => log("%s", printableText(text)),
    printData: (text) => log("%s", process.stdout.isTTY === true ? printableText(text) : text),
    writeLine: (line) => error("%s", printableLine(line, LONGEST_LINE)),
    writeOut: (text) => process.stdout.write(printableText(text)),
    writeError: (text) => process.stderr.write(printableText(hideCredentials(text))),
    close() {
      for (const [name, method] of own) console[name] = method;
    },
  };
}
