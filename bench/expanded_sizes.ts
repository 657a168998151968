/**
 * How large is a compressed model once it is expanded for other programs? Compresses the embedded model
 * without calibration at four bits, and prints the bytes of the ONNX and GGUF files that are made of it:
 *
 *     deno run --allow-read bench/expanded_sizes.ts
 */
import { openModel } from "../data/mod.ts";
import { readStateDict } from "../eval/weights/read_state_dict.ts";
import { decompressToOnnx, onnxTypes } from "../eval/onnx/mod.ts";
import { decompressToGguf } from "../gguf/mod.ts";
import { HierarchicalCompressor } from "../hierarchy/mod.ts";
import { printTable } from "./support/theory/table.ts";
import { readOptions } from "./support/command_line.ts";

readOptions({});

const source = await openModel();
const weights = await readStateDict(source);
const parameters = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
const { config } = source;
const { bytes } = await new HierarchicalCompressor({ bits: 4, effort: "fast" })
  .compress(weights, { config });

const rows: (readonly [string, number])[] = [["compressed", bytes.length]];
for (const type of onnxTypes) {
  const parts = [...(await decompressToOnnx(bytes, type)).values()].flat();
  rows.push([`ONNX, ${type}`, parts.reduce((sum, { length }) => sum + length, 0)]);
}
for (const type of ["f16", "q8_0"] as const) {
  rows.push([`GGUF, ${type}`, (await decompressToGguf(bytes, type)).size]);
}
printTable(
  ["file", "MB", "bytes a parameter"],
  rows.map(([name, size]) => [name, (size / 1e6).toFixed(2), (size / parameters).toFixed(2)]),
);
