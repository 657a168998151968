import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openFile } from "../data/mod.ts";
import { chooseGgufParts } from "../data/gguf/choose_parts.ts";
import { type GgufFile, openGguf } from "../data/gguf/gguf_file.ts";
import { shortest } from "../data/gguf/shortest.ts";
import type { GgufValue } from "../data/gguf/metadata_value.ts";
import { printableLine } from "../data/printable.ts";
import { elementCount } from "../data/tensor.ts";
import { formatBytes, formatCount, formatFixed, formatShare } from "../eval/report/number_text.ts";
import { formatTable } from "./terminal/text_table.ts";
import type { Run } from "./terminal/run.ts";

/** So many elements of a list are shown. */
const SHOWN = 4;

/** What a type of ggml holds in a file. */
interface TypeSize {
  readonly type: string;
  readonly tensors: number;
  readonly values: number;
  readonly bytes: number;
}

/** Shows what a GGUF file holds: its types, with their bits, its tensors and its metadata. */
export async function inspectGguf(path: string, json: boolean, run: Run): Promise<void> {
  const folder = dirname(path);
  const parts = chooseGgufParts(folder, await readdir(folder), basename(path)) ?? [];
  const file = await openGguf(await Promise.all(parts.map((part) => openFile(join(folder, part)))));
  if (json) run.printJson(fields(path, file));
  else run.print(text(path, file));
}

function fields(path: string, file: GgufFile): Record<string, unknown> {
  return {
    file: path,
    parameters: parametersOf(file),
    bytes: file.byteLength,
    types: typesOf(file),
    tensors: file.tensors.map(({ name, type, shape, start, end }) => {
      return { name, type: type.name, shape, bytes: end - start };
    }),
    metadata: Object.fromEntries(
      Array.from(file.metadata.metadata, ([key, value]) => [key, plainValue(value)]),
    ),
  };
}

function text(path: string, file: GgufFile): string {
  const parameters = parametersOf(file);
  const metadata = Array.from(file.metadata.metadata, ([key, value]) => [key, shownValue(value)]);
  return [
    `${printableLine(path)}, a GGUF model of llama.cpp`,
    `${formatCount(parameters)} parameters in ${formatBytes(file.byteLength)}, ` +
    `${formatFixed(8 * file.byteLength / parameters, 2)} bits per weight`,
    "",
    typeTable(file),
    "",
    formatTable(metadata, ["left", "left"]),
  ].join("\n");
}

function parametersOf({ tensors }: GgufFile): number {
  return tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

/** The types, those of most bytes first. */
function typesOf({ tensors }: GgufFile): TypeSize[] {
  const types = new Map<string, TypeSize>();
  for (const { type: { name: type }, shape, start, end } of tensors) {
    const { tensors: count, values, bytes } = types.get(type) ??
      { tensors: 0, values: 0, bytes: 0 };
    types.set(type, {
      type,
      tensors: count + 1,
      values: values + elementCount(shape),
      bytes: bytes + end - start,
    });
  }
  return [...types.values()].sort((a, b) => b.bytes - a.bytes);
}

function typeTable(file: GgufFile): string {
  const types = typesOf(file);
  const row = (name: string, tensors: number, values: number, bytes: number) => [
    name,
    tensors === 0 ? "" : formatCount(tensors),
    values === 0 ? "" : formatCount(values),
    formatCount(bytes),
    values === 0 ? "" : formatFixed(8 * bytes / values, 3),
    formatShare(bytes / file.byteLength),
  ];
  const rest = file.byteLength - types.reduce((sum, { bytes }) => sum + bytes, 0);
  return formatTable([
    ["type", "tensors", "weights", "bytes", "bits per weight", "share of file"],
    ...types.map(({ type, tensors, values, bytes }) => row(type, tensors, values, bytes)),
    row("metadata", 0, 0, rest),
  ], ["left", "right", "right", "right", "right", "right"]);
}

function plainValue(value: GgufValue): unknown {
  const plain = (one: unknown) => typeof one === "bigint" ? String(one) : one;
  return value.type === "ARRAY" ? value.elements.values.map(plain) : plain(value.value);
}

function shownScalar(value: string | boolean | number | bigint): string {
  return String(typeof value === "number" ? shortest(value) : value);
}

function shownValue(value: GgufValue): string {
  if (value.type !== "ARRAY") return shownScalar(value.value);
  const { values } = value.elements;
  const shown = values.slice(0, SHOWN)
    .map((one) => typeof one === "string" ? JSON.stringify(one) : shownScalar(one)).join(", ");
  return values.length <= SHOWN
    ? `[${shown}]`
    : `[${shown}, … ${formatCount(values.length)} in all]`;
}
