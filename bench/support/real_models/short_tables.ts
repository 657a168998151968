import { InputError } from "../../../data/input_error.ts";
import type { EvaluationResult } from "../../../eval/mod.ts";
import { formatFixed } from "../../../eval/report/number_text.ts";
import { markdownTable } from "../theory/table.ts";
import type { ResultLine } from "./results_file.ts";

/** A text of the results, and what a table calls it. */
export interface TitledText {
  /** Its name in the results. */
  readonly text: string;
  /** Its name in the table. */
  readonly title: string;
}

/** What each rate is for, in the words of docs/command-line.md. */
const PURPOSES: Readonly<Record<string, string>> = {
  "4": "the default: hard to tell apart",
  "3.5": "smaller, with little loss",
  "3": "where size matters more",
  "2.5": "where it matters most; check answers",
};

/** Size and divergence of every method on some texts, without those in a list. */
export function besideTable(
  lines: readonly ResultLine[],
  texts: readonly TitledText[],
  without: readonly string[],
): string {
  const rows = filesOf(lines).filter(({ method }) => !without.includes(method)).map((file) => [
    file.method.startsWith("kanpress") ? `${file.method} bits` : file.method,
    formatFixed(file.bytes / 1e6, 1),
    ...texts.flatMap(({ text }) => {
      const { klDivergence, sameTop1 } = resultOf(lines, file.method, text);
      return [
        klDivergence!.mean.toPrecision(3),
        formatFixed(klDivergence!.p999, 2),
        percent(sameTop1!.share, 1),
      ];
    }),
  ]);
  const headings = texts.flatMap(({ title }) => [`${title}: mean KL`, "99.9 %", "same top 1"]);
  return markdownTable(["", "MB", ...headings], rows);
}

/** What kanpress' rates that are for something come to in bytes, and what they cost on a text. */
export function ratesTable(lines: readonly ResultLine[], text: string): string {
  const rows = filesOf(lines).flatMap(({ method }) => {
    const [program, rate] = method.split(" ");
    const bits = Number(rate), purpose = PURPOSES[bits];
    if (program !== "kanpress" || purpose === undefined) return [];
    const { klDivergence, sameTop1, perplexity } = resultOf(lines, method, text);
    const dearer = 100 * (perplexity.compressed! / perplexity.original - 1);
    return [[
      `${bits}`,
      `${formatFixed(bits * 100 / 8, 0)} MB`,
      `${formatFixed(bits * 1000 / 8, 0)} MB`,
      percent(sameTop1!.share, 0),
      `+${dearer < 10 ? formatFixed(dearer, 1) : formatFixed(dearer, 0)} %`,
      formatFixed(klDivergence!.mean, 3),
      purpose,
    ]];
  });
  return markdownTable([
    ...["`--bits`", "100 million parameters", "1 billion", "likeliest token kept"],
    ...["perplexity", "divergence", "what for"],
  ], rows);
}

/** Every file, the largest first of each program. */
function filesOf(lines: readonly ResultLine[]): { method: string; bytes: number }[] {
  const files = lines.flatMap((line) =>
    line.kind === "file" ? [{ method: line.method, bytes: line.file.counted }] : []
  );
  return files.sort((a, b) => b.bytes - a.bytes);
}

function resultOf(
  lines: readonly ResultLine[],
  method: string,
  text: string,
): Pick<EvaluationResult, "klDivergence" | "sameTop1" | "perplexity"> {
  const found = lines.findLast((line) =>
    line.kind === "text" && line.method === method && line.text === text &&
    line.result.protocol === "llama.cpp"
  );
  if (found?.kind !== "text") throw new InputError(`${method} was not measured on ${text}`);
  return found.result;
}

function percent(share: number, digits: number): string {
  return `${formatFixed(100 * share, digits)} %`;
}
