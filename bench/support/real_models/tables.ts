import { formatCount, formatFixed } from "../../../eval/report/number_text.ts";
import { markdownTable } from "../theory/table.ts";
import type { FileResult, ResultLine, Setup, TextResult } from "./results_file.ts";

/** A method with all that is known of it. */
interface Row {
  readonly method: string;
  readonly file?: FileResult;
  readonly texts: readonly TextLine[];
  readonly tasks: readonly TaskLine[];
}

type TextLine = Extract<ResultLine, { kind: "text" }>;
type TaskLine = Extract<ResultLine, { kind: "task" }>;

/** What has been measured of a model as Markdown: sizes and perplexities, divergences, tasks. */
export function tablesText(lines: readonly ResultLine[]): string {
  const [first] = lines;
  if (first?.kind !== "setup") return "";
  const { setup } = first;
  const rows = rowsOf(lines);
  if (rows.length === 0) return `${setup.model}: nothing has been measured yet`;
  return [
    `${setup.model}: ${formatCount(setup.parameters)} parameters, of which ` +
    `${formatCount(setup.linearParameters)} in the layers' linear maps. Calibrated on ` +
    `${formatCount(setup.calibration.tokens)} tokens of ${setup.calibration.text}; measured with ` +
    `the backend ${setup.backend} on ${first.machine}.`,
    calibrationText(lines),
    sizesTable(rows, setup),
    ...textNames(rows).map((text) => divergenceTable(rows, text)),
    ...taskTables(rows),
  ].filter((part) => part !== "").join("\n\n");
}

function rowsOf(lines: readonly ResultLine[]): Row[] {
  const methods = new Set(lines.flatMap((line) => "method" in line ? [line.method] : []));
  const rows = Array.from(methods, (method): Row => {
    const own = lines.filter((line) => "method" in line && line.method === method);
    const file = own.findLast((line) => line.kind === "file")?.file;
    return {
      method,
      ...(file !== undefined && { file }),
      texts: own.filter((line) => line.kind === "text"),
      tasks: own.filter((line) => line.kind === "task"),
    };
  });
  return rows.sort((a, b) => (b.file?.counted ?? 0) - (a.file?.counted ?? 0));
}

function calibrationText(lines: readonly ResultLine[]): string {
  const times = lines.flatMap((line) =>
    line.kind === "calibration" ? [`${line.what} ${formatFixed(line.seconds, 0)} s`] : []
  );
  return times.length === 0 ? "" : `Calibration took: ${times.join(", ")}.`;
}

/** What each method needs, and the perplexities of the first text. */
function sizesTable(rows: readonly Row[], { parameters, linearParameters }: Setup): string {
  const names = textNames(rows);
  const [text = ""] = names;
  const perplexity = ({ texts }: Row, protocol: string) => {
    const found = result(texts, text, protocol)?.perplexity.compressed;
    return found === undefined ? "" : formatFixed(found, 3);
  };
  const first = rows.flatMap(({ texts }) => result(texts, text, "llama.cpp") ?? [])[0];
  const second = rows.flatMap(({ texts }) => result(texts, text, "gptq") ?? [])[0];
  const original = [
    ...["original", "", "", ""],
    first === undefined ? "" : formatFixed(first.perplexity.original, 3),
    second === undefined ? "" : formatFixed(second.perplexity.original, 3),
    ...["", ""],
  ];
  const cells = rows.map((row) => {
    const { file } = row;
    return [
      row.method,
      file === undefined ? "" : megabytes(file),
      file === undefined ? "" : formatFixed(8 * file.counted / parameters, 3),
      file === undefined ? "" : formatFixed(8 * file.linear / linearParameters, 3),
      perplexity(row, "llama.cpp"),
      perplexity(row, "gptq"),
      file === undefined ? "" : `${formatFixed(file.seconds, 0)} s`,
      file === undefined || file.peak === 0 ? "" : `${formatFixed(file.peak / 1e9, 2)} GB`,
    ];
  });
  return markdownTable(
    [
      ...["", "MB", "bits per weight", "of linear maps"],
      `${text}: perplexity`,
      "by GPTQ's protocol",
      ...["time", "memory"],
    ],
    [original, ...cells],
  );
}

/** How far each method is from the original on a text. */
function divergenceTable(rows: readonly Row[], text: string): string {
  const cells = rows.flatMap(({ method, file, texts }) => {
    const found = result(texts, text, "llama.cpp");
    if (found?.klDivergence === undefined || found.sameTop1 === undefined) return [];
    const { mean, standardError, median, p99, p999, p999StandardError } = found.klDivergence;
    const { share, standardError: shareError } = found.sameTop1;
    return [[
      method,
      file === undefined ? "" : megabytes(file),
      withError(mean, standardError),
      median.toPrecision(3),
      p99.toPrecision(3),
      withError(p999, p999StandardError),
      `${formatFixed(100 * share, 1)} ± ${formatFixed(100 * shareError, 1)} %`,
      formatFixed(found.perplexity.compressed!, 3),
    ]];
  });
  const some = rows.flatMap(({ texts }) => result(texts, text, "llama.cpp") ?? [])[0];
  if (some === undefined) return "";
  return `${text}, ${formatCount(some.tokens)} predictions in ${
    formatCount(some.chunks)
  } chunks of ` +
    `${formatCount(some.contextLength)}; the original's perplexity is ` +
    `${formatFixed(some.perplexity.original, 3)}:\n\n` +
    markdownTable(
      ["", "MB", "mean KL", "median", "99 %", "99.9 %", "same top 1", "perplexity"],
      cells,
    );
}

function taskTables(rows: readonly Row[]): string[] {
  const names = new Set(rows.flatMap(({ tasks }) => tasks.map(({ task }) => task)));
  return Array.from(names, (task) => {
    const own = rows.flatMap(({ method, tasks }) =>
      tasks.filter((line) => line.task === task).slice(-1).map((line) => ({ method, line }))
    );
    const { questions, metrics } = own[0]!.line;
    const columns = Object.keys(metrics);
    const original = columns.map((name) => share(name, metrics[name]!.original));
    const cells = own.map(({ method, line }) => [
      method,
      ...columns.flatMap((name) => {
        const { compressed, change } = line.metrics[name]!;
        return [
          compressed === undefined ? "" : share(name, compressed),
          change === undefined ? "" : share(name, change),
        ];
      }),
    ]);
    return `${task}, ${formatCount(questions)} questions:\n\n` + markdownTable(
      ["", ...columns.flatMap((name) => [name, "change"])],
      [["original", ...original.flatMap((cell) => [cell, ""])], ...cells],
    );
  });
}

/** A share of questions in per cent, or a perplexity. */
function share(
  metric: string,
  { value, standardError }: { readonly value: number; readonly standardError: number },
): string {
  return metric === "perplexity"
    ? `${value.toPrecision(4)} ± ${standardError.toPrecision(2)}`
    : `${formatFixed(100 * value, 1)} ± ${formatFixed(100 * standardError, 1)} %`;
}

function megabytes({ counted }: FileResult): string {
  return formatFixed(counted / 1e6, counted < 1e7 ? 4 : 2);
}

function withError(value: number, standardError: number): string {
  return `${value.toPrecision(3)} ± ${standardError.toPrecision(1)}`;
}

function textNames(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap(({ texts }) => texts.map(({ text }) => text)))];
}

function result(
  texts: readonly TextLine[],
  name: string,
  protocol: string,
): TextResult | undefined {
  return texts.findLast(({ text, result }) => text === name && result.protocol === protocol)
    ?.result;
}
