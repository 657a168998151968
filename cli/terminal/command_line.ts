import { hideCredentials } from "../../data/shown_url.ts";

/**
 * Words as a POSIX shell takes them; the first, the program, may be several words itself. Passwords
 * in addresses are left out, since results that are published name the command line.
 */
export function commandLine([program = "", ...words]: readonly string[]): string {
  return [program, ...words.map((word) => quoted(hideCredentials(word)))].join(" ");
}

function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
