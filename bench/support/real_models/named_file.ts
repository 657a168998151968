import { InvalidArgumentError } from "commander";

/** A file with a name for tables, and which part of it is meant. */
export interface NamedFile {
  /** What tables call it. */
  readonly name: string;
  /** Its path, or `hf://datasets/…`. */
  readonly path: string;
  /** Where the part begins, as a share of the text. */
  readonly from: number;
  /** Where it ends. */
  readonly to: number;
}

/**
 * Parses `WikiText-2=wiki.txt`, or `novel=emma.txt#50-100` for the second half of a text. Throws
 * commander's InvalidArgumentError for anything else.
 */
export function namedFile(text: string): NamedFile {
  const [, name = "", path = "", from = "0", to = "100"] =
    /^([^=]+)=(.+?)(?:#(\d+)-(\d+))?$/s.exec(text.trim()) ?? [];
  if (name === "" || Number(from) >= Number(to) || Number(to) > 100) {
    throw new InvalidArgumentError(
      "It must be name=file, or name=file#50-100 for the second half of a text.",
    );
  }
  return { name, path, from: Number(from) / 100, to: Number(to) / 100 };
}

/** Parses an option that may be given several times; names must differ. */
export function severalNamedFiles(text: string, before: readonly NamedFile[]): NamedFile[] {
  const file = namedFile(text);
  if (before.some(({ name }) => name === file.name)) {
    throw new InvalidArgumentError(`The name ${file.name} is there twice.`);
  }
  return [...before, file];
}

/** The part of a text from one share of it to another, in whole lines. */
export function partOfText(text: string, { from, to }: Pick<NamedFile, "from" | "to">): string {
  const lineAt = (share: number) => {
    if (share === 0) return 0;
    const lineBreak = text.indexOf("\n", Math.floor(share * text.length));
    return lineBreak < 0 ? text.length : lineBreak + 1;
  };
  return text.slice(lineAt(from), lineAt(to));
}
