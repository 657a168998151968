import { greatest, least } from "../../data/extremes.ts";
import { requireNumber } from "../numeric/checks.ts";
import { ownersOfSums } from "../engine/backward_scores.ts";
import { attributeKan } from "../pruning/attribution.ts";
import { traceModel } from "../engine/evaluate.ts";
import { isAlive, type KanLayerModel, nodeCount } from "../model/layer_model.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import {
  type Drawing,
  type PlotlyFigure,
  type Point,
  type Shape,
  toPlotly,
  toSvg,
} from "./drawing.ts";
import { type Curve, layerCurves } from "./edge_curve.ts";

/** How {@link plotNetwork} draws. */
export interface NetworkPlotOptions {
  /** Names under the inputs; x1, x2, ... if omitted. */
  readonly inputNames?: readonly string[];
  /** Names above the outputs; none if omitted. */
  readonly outputNames?: readonly string[];
  /** Title above all; none if omitted. */
  readonly title?: string;
  /** An edge of score s is drawn with opacity tanh(contrast s); 3 if omitted, as in pykan. */
  readonly contrast?: number;
}

const BOX = 56;
const GAP = 18;
const MARGIN = 40;
/** Heights from a row of nodes to its boxes, and from the boxes to the next row. */
const RISE = 60;
const SPLINE_COLOR = "#1f4e9c";
const SYMBOLIC_COLOR = "#c0392b";
const LINE_COLOR = "#333";
/** Still to be seen on a screen: what the eye misses looks pruned. */
const FAINTEST = 0.15;
/** Pixels; leaves room for a title. */
const NARROWEST = 260;

/**
 * The diagram of a network as an SVG document, in pykan's manner: inputs below, outputs above, a box
 * with its curve for every living edge, faint where the edge matters little; symbolic edges are red,
 * multiplication nodes have a cross.
 *
 * @param inputs [samples, inputs of the model], at least 2: they set the ranges of the curves and
 * the scores.
 * @throws RangeError if the number of inputs or of names is wrong.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { plotNetwork } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 3, 1], random: createRandom(0) });
 * const svg = plotNetwork(model, samplesFrom([[-1, -1], [0, 0.5], [1, 1]]));
 * assert.match(svg, /^<svg /);
 * ```
 */
export function plotNetwork(
  model: KanModel,
  inputs: Samples,
  options: NetworkPlotOptions = {},
): string {
  return toSvg(drawNetwork(model, inputs, options));
}

/**
 * The diagram of {@link plotNetwork} as a plotly figure.
 *
 * @throws RangeError as `plotNetwork` does.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { networkFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [2, 1], random: createRandom(0) });
 * const figure = networkFigure(model, samplesFrom([[-1, -1], [1, 0]]));
 * assert.ok(figure.data.length > 0);
 * ```
 */
export function networkFigure(
  model: KanModel,
  inputs: Samples,
  options: NetworkPlotOptions = {},
): PlotlyFigure {
  return toPlotly(drawNetwork(model, inputs, options));
}

function drawNetwork(model: KanModel, inputs: Samples, options: NetworkPlotOptions): Drawing {
  const { contrast = 3, title } = options;
  requireNumber("contrast", contrast, { above: 0 });
  const inputDim = model.layers[0]!.inputDim, outputDim = nodeCount(model.layers.at(-1)!);
  const inputNames = options.inputNames ?? Array.from({ length: inputDim }, (_, i) => `x${i + 1}`);
  const outputNames = options.outputNames ?? new Array<string>(outputDim).fill("");
  if (inputNames.length !== inputDim || outputNames.length !== outputDim) {
    throw new RangeError(`the model needs ${inputDim} input and ${outputDim} output names`);
  }
  const scores = attributeKan(model, inputs).layers;
  const traces = traceModel(model, inputs, { edges: false, slopes: false });
  const boxes = greatest(model.layers.map((layer) => layer.inputDim * layer.outputDim));
  const width = Math.max(NARROWEST, 2 * MARGIN + boxes * (BOX + GAP));
  const rows = model.layers.reduce((sum, layer) => sum + rowHeight(layer), 0);
  const top = MARGIN + (title === undefined ? 0 : 30);
  const height = top + rows + MARGIN + 20;
  const shapes: Shape[] = [];
  if (title !== undefined) shapes.push(text([width / 2, 24], title, 16));
  let y = height - MARGIN - 20;
  let nodes = spread(inputDim, width, y);
  shapes.push(...nodes.map((at, i) => text([at[0], at[1] + 20], inputNames[i]!, 15)));
  model.layers.forEach((layer, l) => {
    shapes.push(...nodes.map(disc));
    const curve = layerCurves(layer, traces[l]!.inputs, 61);
    const opacity = (edge: number) =>
      Math.max(FAINTEST, Math.tanh(contrast * scores[l]!.edges[edge]!));
    const drawn = drawLayer(layer, nodes, width, y, curve, opacity);
    shapes.unshift(...drawn.lines);
    shapes.push(...drawn.boxes);
    nodes = drawn.nodes;
    y -= rowHeight(layer);
  });
  shapes.push(...nodes.map(disc));
  shapes.push(...nodes.map((at, o) => text([at[0], at[1] - 18], outputNames[o]!, 15)));
  return { width, height, shapes };
}

/** Height from the inputs of a layer to its nodes. */
function rowHeight(layer: KanLayerModel): number {
  return 2 * RISE + BOX + (layer.products.length > 0 ? RISE : 0);
}

function drawLayer(
  layer: KanLayerModel,
  inputs: readonly Point[],
  width: number,
  y: number,
  curve: (input: number, output: number) => Curve,
  opacity: (edge: number) => number,
): { lines: Shape[]; boxes: Shape[]; nodes: Point[] } {
  const { inputDim, outputDim } = layer;
  const centers = spread(inputDim * outputDim, width, y - RISE - BOX / 2);
  const sums = spread(outputDim, width, y - 2 * RISE - BOX);
  const lines: Shape[] = [], boxes: Shape[] = [];
  for (let edge = 0; edge < inputDim * outputDim; edge++) {
    const output = edge % outputDim, input = (edge - output) / outputDim;
    if (!isAlive(layer, input, output)) continue;
    const [x, middle] = centers[edge]!, visible = opacity(edge);
    lines.push(line([inputs[input]!, [x, middle + BOX / 2]], LINE_COLOR, 1.5, visible));
    lines.push(line([[x, middle - BOX / 2], sums[output]!], LINE_COLOR, 1.5, visible));
    const corner: Point = [x - BOX / 2, middle - BOX / 2];
    const color = layer.symbolic.has(edge) ? SYMBOLIC_COLOR : SPLINE_COLOR;
    boxes.push({ kind: "box", corner, size: [BOX, BOX], opacity: visible });
    boxes.push(line(fitInto(curve(input, output), corner, [BOX, BOX]), color, 2, visible));
  }
  if (layer.products.length === 0) return { lines, boxes, nodes: sums };
  const nodes = spread(nodeCount(layer), width, y - 3 * RISE - BOX);
  ownersOfSums(layer).forEach((node, sum) => {
    lines.push(line([sums[sum]!, nodes[node]!], LINE_COLOR, 1.5, 1));
    boxes.push(disc(sums[sum]!));
  });
  const plain = nodes.length - layer.products.length;
  for (const [x, top] of nodes.slice(plain)) boxes.push(text([x + 14, top], "×", 20));
  return { lines, boxes, nodes };
}

/** Points of a row, each in the middle of its share of the page. */
function spread(count: number, width: number, y: number): Point[] {
  const share = (width - 2 * MARGIN) / count;
  return Array.from({ length: count }, (_, i) => [MARGIN + (i + 0.5) * share, y]);
}

/** The curve scaled into a frame, with some space around it. */
function fitInto(
  { x, y }: Curve,
  [left, top]: Point,
  [width, height]: readonly [number, number],
): Point[] {
  const space = 0.12;
  const scale = (values: readonly number[]) => {
    const lowest = least(values), range = greatest(values) - lowest;
    return (value: number) =>
      space + (1 - 2 * space) * (range > 0 ? (value - lowest) / range : 0.5);
  };
  const across = scale(x), up = scale(y);
  return x.map((value, p) => [left + width * across(value), top + height * (1 - up(y[p]!))]);
}

function line(points: readonly Point[], color: string, width: number, opacity: number): Shape {
  return { kind: "line", points, color, width, opacity };
}

function disc(center: Point): Shape {
  return { kind: "disc", center, radius: 5, color: "#111" };
}

function text(at: Point, content: string, size: number): Shape {
  return { kind: "text", at, text: content, anchor: "middle", size, color: "#111" };
}
