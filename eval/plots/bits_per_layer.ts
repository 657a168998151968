import { InputError } from "../../data/input_error.ts";
import { type Figure, layoutOf, seriesStyle } from "./figure.ts";
import { greatest } from "../../data/extremes.ts";

/** What one tensor costs, such as a row of a `CompressionReport`. */
export interface TensorCost {
  /** Name in the checkpoint, such as `transformer.h.3.attn.c_attn.weight`. */
  readonly name: string;
  /** Sizes of its axes. */
  readonly shape: readonly number[];
  /** Bits per value. */
  readonly bitsPerWeight: number;
}

/**
 * Bits per weight of every matrix by depth: one series for each kind of matrix that layers have, and
 * a horizontal line for each matrix outside the layers, such as embeddings. Vectors are left out.
 * Throws {@linkcode InputError} if there is no matrix.
 *
 * ```ts
 * import { bitsPerLayerFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const figure = bitsPerLayerFigure([
 *   { name: "wte.weight", shape: [64, 8], bitsPerWeight: 3.1 },
 *   { name: "h.0.mlp.weight", shape: [8, 8], bitsPerWeight: 2.5 },
 *   { name: "h.1.mlp.weight", shape: [8, 8], bitsPerWeight: 2.7 },
 * ]);
 * assert.deepEqual(figure.data.map(({ name }) => name), ["mlp", "wte"]);
 * ```
 */
export function bitsPerLayerFigure(
  tensors: readonly TensorCost[],
  title: string = "Bits per weight by depth",
): Figure {
  const matrices = tensors.filter(({ shape }) => shape.length >= 2);
  if (matrices.length === 0) throw new InputError("there is no matrix to show; check the report");
  const layers = new Map<string, { layer: number; bits: number }[]>();
  const others: TensorCost[] = [];
  for (const tensor of matrices) {
    const place = placeOf(tensor.name);
    if (place === undefined) {
      others.push(tensor);
      continue;
    }
    const series = layers.get(place.kind) ?? [];
    series.push({ layer: place.layer, bits: tensor.bitsPerWeight });
    layers.set(place.kind, series);
  }
  const last = greatest([0, ...[...layers.values()].flat().map(({ layer }) => layer)]);
  const data = [
    ...Array.from(layers, ([kind, points], index) => layerTrace(kind, points, index)),
    ...others.map((tensor, index) => lineTrace(tensor, last, layers.size + index)),
  ];
  const layout = layoutOf(title, {
    title: "layer",
    tickStep: Math.max(1, Math.ceil((last + 1) / 16)),
  }, { title: "bits per weight" });
  const most = greatest(matrices.map(({ bitsPerWeight }) => bitsPerWeight));
  const yaxis = { ...layout["yaxis"] as object, range: [0, 1.08 * most] };
  return { data, layout: { ...layout, yaxis } };
}

/** The layer's number and what is left of the name; undefined outside of layers. */
function placeOf(name: string): { layer: number; kind: string } | undefined {
  const match = /(?:^|\.)(\d+)\.(.+)$/.exec(name);
  if (match === null) return undefined;
  return { layer: Number(match[1]), kind: match[2]!.replace(/\.weight$/, "") };
}

function layerTrace(
  kind: string,
  points: readonly { layer: number; bits: number }[],
  index: number,
): Record<string, unknown> {
  const sorted = points.toSorted((a, b) => a.layer - b.layer);
  const { color, symbol, dash } = seriesStyle(index);
  return {
    type: "scatter",
    mode: "lines+markers",
    name: kind,
    x: sorted.map(({ layer }) => layer),
    y: sorted.map(({ bits }) => bits),
    line: { color, dash, width: 1.5 },
    marker: { color, symbol, size: 9 },
  };
}

function lineTrace(
  { name, bitsPerWeight }: TensorCost,
  last: number,
  index: number,
): Record<string, unknown> {
  const { color, dash } = seriesStyle(index);
  return {
    type: "scatter",
    mode: "lines",
    name: name.replace(/^(transformer|model)\./, "").replace(/\.weight$/, ""),
    x: [-0.2, last + 0.2],
    y: [bitsPerWeight, bitsPerWeight],
    line: { color, dash, width: 3 },
  };
}
