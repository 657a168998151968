/** Words as a POSIX shell takes them; the first, the program, may be several words itself. */
export function commandLine([program = "", ...words]: readonly string[]): string {
  return [program, ...words.map(quoted)].join(" ");
}

function quoted(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
