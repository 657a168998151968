import { countColor, decodePng } from "../eval/plots/testdata/png_pixels.ts";

/** What an executed notebook may take on disk, in bytes. */
const LARGEST = 1_000_000;
/** Pixels of a picture's width: front ends crop what is wider than the figure. */
const WIDEST = 820;
/** Pixels that a colour of a figure must at least fill. */
const FEWEST_PIXELS = 20;

interface Output {
  readonly output_type: string;
  readonly name?: string;
  readonly ename?: string;
  readonly evalue?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

interface Cell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly outputs?: readonly Output[];
}

/** Everything that is wrong with an executed notebook: errors, figures that are missing or empty. */
export async function findProblems(text: string): Promise<string[]> {
  const problems = text.length > LARGEST
    ? [`takes ${text.length} bytes, more than ${LARGEST}`]
    : [];
  const { cells } = JSON.parse(text) as { readonly cells: readonly Cell[] };
  for (const [index, cell] of cells.entries()) {
    if (cell.cell_type !== "code") continue;
    const found = await cellProblems(cell);
    problems.push(...found.map((problem) => `cell ${index + 1}: ${problem}`));
  }
  return problems;
}

async function cellProblems({ source, outputs = [] }: Cell): Promise<string[]> {
  const problems: string[] = [];
  for (const { output_type: type, ename, evalue } of outputs) {
    if (type === "error") problems.push(`${ename}: ${evalue}`);
  }
  // Front ends may put the second of several writes under another cell.
  const writes = outputs.filter(({ output_type: type, name }) =>
    type === "stream" && name === "stdout"
  );
  if (writes.length > 1) problems.push(`writes ${writes.length} times; join lines to one call`);
  const code = typeof source === "string" ? source : source.join("");
  const figures = outputs.filter(({ data }) => data?.["image/png"] !== undefined);
  const expected = code.match(/\bdisplayFigure\(/g)?.length ?? 0;
  if (figures.length < expected) {
    problems.push(`shows ${figures.length} figures where ${expected} are drawn`);
  }
  for (const { data } of figures) problems.push(...await figureProblems(data!));
  return problems;
}

interface FigureTrace {
  readonly y?: readonly unknown[];
  readonly line?: { readonly color?: string };
  readonly marker?: { readonly color?: string };
}

async function figureProblems(data: Readonly<Record<string, unknown>>): Promise<string[]> {
  const pixels = await decodePng(Uint8Array.fromBase64(String(data["image/png"]).trim()));
  if (pixels.width > WIDEST) return [`a figure is ${pixels.width} pixels wide, not ${WIDEST}`];
  const figure = data["application/vnd.plotly.v1+json"] as { data?: FigureTrace[] } | undefined;
  const traces = figure?.data ?? [];
  if (traces.length === 0) return ["a figure has no plotly traces"];
  return traces.flatMap(({ y = [], line, marker }, index) => {
    if (!y.some((value) => typeof value === "number" && Number.isFinite(value))) {
      return [`trace ${index + 1} of a figure has no values`];
    }
    const color = marker?.color ?? line?.color ?? "";
    const isDrawn = !/^#[0-9a-f]{6}$/i.test(color) || countColor(pixels, color) >= FEWEST_PIXELS;
    return isDrawn ? [] : [`trace ${index + 1} of a figure cannot be seen`];
  });
}
