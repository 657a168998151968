import { existsSync } from "node:fs";
import { isGgufName } from "../data/gguf/choose_parts.ts";
import { isDType } from "../data/dtype.ts";
import { bitsPerLayerFigure } from "../eval/plots/bits_per_layer.ts";
import { checkDecodes } from "../hierarchy/decode_container.ts";
import type { CompressionReport } from "../hierarchy/mod.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { reportContainer } from "../hierarchy/report.ts";
import { formatBytes, formatCount, formatFixed, formatShare } from "../eval/report/number_text.ts";
import { printableLine } from "../data/printable.ts";
import { requireCompressed } from "./input/compressed_argument.ts";
import { inspectGguf } from "./inspect_gguf.ts";
import { UsageError } from "./terminal/errors.ts";
import { openPicture } from "./output/picture.ts";
import { stageLines } from "./compress/stage_lines.ts";
import { formatTable } from "./terminal/text_table.ts";
import type { Run } from "./terminal/run.ts";

/** Options of `inspect`. */
export interface InspectOptions {
  /** Picture of the bits of each layer to write. */
  readonly plot?: string;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/**
 * `inspect`: shows the levels and tensors of a compressed file, and where every byte of it goes; of a
 * GGUF file its types and metadata.
 */
export async function inspect(
  argument: string,
  options: InspectOptions,
  run: Run,
): Promise<void> {
  if (isGgufName(argument) && existsSync(argument)) {
    if (options.plot === undefined) return await inspectGguf(argument, options.json === true, run);
    throw new UsageError("--plot shows a compressed model; name one");
  }
  using picture = await openPicture(options.plot, run);
  const { source } = await requireCompressed(argument);
  const container = await openContainer(source);
  const { signal } = run;
  const report = await reportContainer(container, source.byteLength, { signal });
  await checkDecodes(container, { signal });
  const title = `Bits per weight by depth, ${formatFixed(report.bitsPerWeight, 2)} on average`;
  await picture?.draw(bitsPerLayerFigure(report.tensors, title));
  const made = container.source === undefined ? {} : { source: container.source };
  if (options.json) run.printJson({ file: source.name, ...made, ...report });
  else run.print(inspectionText(source.name, container.source, report));
}

/** What `inspect` prints for people. */
export function inspectionText(
  file: string,
  madeFrom: string | undefined,
  report: CompressionReport,
): string {
  const { parameters, compressedBytes, bitsPerWeight } = report;
  return [
    printableLine(file) + (madeFrom === undefined ? "" : `, made from ${printableLine(madeFrom)}`),
    `${formatCount(parameters)} parameters in ${formatBytes(compressedBytes)}, ` +
    `${formatFixed(bitsPerWeight, 2)} bits per weight`,
    "",
    levelTable(report),
    ...stageLines(report.stages),
    "",
    tensorTable(report),
  ].join("\n");
}

/** Every level in the order of the hierarchy, then what belongs to none, then the sum. */
function levelTable({ levels, overhead, parameters, compressedBytes }: CompressionReport): string {
  const row = (stage: string, kind: string, bytes: number, energyLeft?: number) => [
    stage,
    kind,
    formatCount(bytes),
    formatFixed(8 * bytes / parameters, 3),
    formatShare(bytes / compressedBytes),
    energyLeft === undefined ? "" : formatShare(energyLeft),
  ];
  const rows = [
    ["stage", "level", "bytes", "bits per weight", "share of file", "energy left"],
    ...levels.map(({ stage, kind, bytes, energyLeft }) =>
      row(String(stage + 1), kind, bytes, energyLeft)
    ),
    row("", "kept tensors", overhead.exact),
    row("", "header", overhead.header),
    row("", "whole file", compressedBytes),
  ];
  // Only autoencoders leave a part whose energy is known.
  const columns = levels.some(({ energyLeft }) => energyLeft !== undefined) ? 6 : 5;
  const alignments = ["left", "left", "right", "right", "right", "right"] as const;
  return formatTable(rows.map((cells) => cells.slice(0, columns)), alignments.slice(0, columns));
}

function tensorTable({ tensors }: CompressionReport): string {
  const types = new Set(tensors.map(({ dtype }) => dtype));
  const rows = tensors.map(({ name, shape, dtype, levels, bytes, bitsPerWeight, share }) => [
    name,
    types.size === 1 ? shape.join("×") : `${dtype} ${shape.join("×")}`,
    formatCount(bytes),
    formatFixed(bitsPerWeight, 2),
    formatShare(share),
    joinLevels(levels),
  ]);
  // Told by the table of levels, where all that are coded have the same.
  const coded = tensors.filter(({ levels: [first = ""] }) => !isDType(first));
  const columns = new Set(coded.map(({ levels }) => joinLevels(levels))).size > 1 ? 6 : 5;
  const original = types.size === 1 ? `${[...types].join()} shape` : "original";
  const heading = ["tensor", original, "bytes", "bits", "of file", "levels"];
  const alignments = ["left", "left", "right", "right", "right", "left"] as const;
  const cells = [heading, ...rows].map((row) => row.slice(0, columns));
  return formatTable(cells, alignments.slice(0, columns));
}

/** `2 × autoencoder > field > trellis`. */
function joinLevels(kinds: readonly string[]): string {
  const runs: { kind: string; count: number }[] = [];
  for (const kind of kinds) {
    const last = runs.at(-1);
    if (last?.kind === kind) last.count++;
    else runs.push({ kind, count: 1 });
  }
  return runs.map(({ kind, count }) => count === 1 ? kind : `${count} × ${kind}`).join(" > ");
}
