/**
 * Measures again what the documentation shows of what commands print: `deno task figures`. The
 * block of text after `<!-- figures: deno task … -->` is such a part. With `--check` nothing is
 * written, and a figure that is another than the measured one fails; where the whole takes long, a second
 * comment, `<!-- checked by: deno task … -->`, has a command whose lines are those of the block.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeFileAtomically } from "../data/write_file.ts";

const ROOT = new URL("../", import.meta.url);
/** A block: the command, and what is shown of its output. */
const BLOCK =
  /<!-- figures: deno task (.+?) -->\n(?:<!-- checked by: deno task (.+?) -->\n)?\n*```text\n([^]*?)```/g;
/** Lines that are shown beside tables. */
const SHOWN = /^(measured on|written to|\* on the Pareto front|relative to the original)/;
/** Figures may differ by this much between processors; standard errors by more. */
const TOLERANCE = 0.03, ERROR_TOLERANCE = 0.3;

/** A block of a page. */
export interface FigureBlock {
  /** The command's words after `deno task`. */
  readonly words: readonly string[];
  /** The words of a command that prints some of its lines, and takes less time. */
  readonly part?: readonly string[];
  /** The text that the page shows. */
  readonly text: string;
}

/** The blocks of a page. */
export function figureBlocks(page: string): FigureBlock[] {
  return [...page.matchAll(BLOCK)].map(([, command, part, text]) => ({
    words: command!.split(" "),
    ...(part !== undefined && { part: part.split(" ") }),
    text: text!,
  }));
}

/** What a page shows of an output: its tables, and what they were measured on. */
export function shownPart(output: string): string {
  const paragraphs = output.trimEnd().split("\n\n").map((paragraph) => {
    const lines = paragraph.split("\n");
    // The cells of a table are two spaces apart.
    return (lines.length > 2 && lines.every((line) => /\S {2,}\S/.test(line)))
      ? paragraph
      : lines.filter((line) => SHOWN.test(line)).join("\n");
  });
  return `${paragraphs.filter((paragraph) => paragraph !== "").join("\n\n")}\n`;
}

/** The first place where two texts differ by more than processors do; undefined if there is none. */
export function firstDifference(shown: string, measured: string): string | undefined {
  const left = shown.split("\n"), right = measured.split("\n");
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const a = left[i] ?? "", b = right[i] ?? "";
    if (!isSameLine(a, b)) return `shown:    ${a}\nmeasured: ${b}`;
  }
  return undefined;
}

/** The first line of what a part printed that no line of the block shows; undefined if there is none. */
export function firstMissing(shown: string, measured: string): string | undefined {
  // Alone a point may be on the Pareto front that others keep it from.
  const lines = (text: string) => text.split("\n").map((line) => line.replace(/^\* {2}/, "   "));
  const all = lines(shown);
  const missing = lines(measured).find((line) => !all.some((other) => isSameLine(other, line)));
  return missing && `measured: ${missing}`;
}

const NUMBER = /(?:± )?\d[\d,]*(?:\.\d+)?/g;

function isSameLine(shown: string, measured: string): boolean {
  const words = (line: string) => line.replaceAll(NUMBER, "#").replaceAll(/\s+/g, " ");
  if (words(shown) !== words(measured)) return false;
  const others = measured.match(NUMBER) ?? [];
  return (shown.match(NUMBER) ?? []).every((text, i) => {
    const tolerance = text.startsWith("±") ? ERROR_TOLERANCE : TOLERANCE;
    const [a, b] = [text, others[i]!].map((number) => Number(number.replaceAll(/[±,\s]/g, "")));
    return Math.abs(a! - b!) <= tolerance * Math.abs(a!);
  });
}

/** The page with other texts in its blocks. */
export function withTexts(page: string, texts: readonly string[]): string {
  let index = 0;
  return page.replaceAll(
    BLOCK,
    (block, _command, _part, text) => block.replace(text, () => texts[index++]!),
  );
}

async function measure(words: readonly string[]): Promise<string> {
  // A sweep goes on from what is in its folder: in another there is nothing.
  const folder = await Deno.makeTempDir({ prefix: "kanpress-figures-" });
  const out = words[0] === "sweep" ? ["--out", join(folder, "sweep")] : [];
  // The same engine wherever it is done.
  const args = ["task", "-q", ...words, ...out, "--backend", "wasm"];
  try {
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: fileURLToPath(ROOT),
      env: { NO_COLOR: "1" },
      stderr: "inherit",
    }).output();
    if (!success) throw new Error(`deno ${args.join(" ")} failed`);
    return shownPart(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The pages that have blocks. */
export function pagesWithFigures(): string[] {
  return globSync(["README.md", "docs/*.md"], { cwd: fileURLToPath(ROOT) }).sort()
    .filter((page) => figureBlocks(readFileSync(new URL(page, ROOT), "utf8")).length > 0);
}

if (import.meta.main) {
  const pages = Deno.args.filter((name) => name !== "--check");
  const isCheck = Deno.args.includes("--check");
  let failed = false;
  for (const name of pages.length > 0 ? pages : pagesWithFigures()) {
    const path = new URL(name, ROOT);
    const page = readFileSync(path, "utf8");
    const texts: string[] = [];
    for (const block of figureBlocks(page)) {
      const { part } = isCheck ? block : {};
      console.error(`${name}: deno task ${(part ?? block.words).join(" ")}`);
      const text = await measure(part ?? block.words);
      const difference = part === undefined
        ? firstDifference(block.text, text)
        : firstMissing(block.text, text);
      if (difference !== undefined) console.log(`${name}: other figures\n${difference}`);
      failed ||= difference !== undefined;
      texts.push(text);
    }
    if (isCheck) continue;
    await writeFileAtomically(fileURLToPath(path), [
      new TextEncoder().encode(withTexts(page, texts)),
    ]);
  }
  Deno.exit(failed && isCheck ? 1 : 0);
}
