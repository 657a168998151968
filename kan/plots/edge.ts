import { greatest, least } from "../../data/extremes.ts";
import type { Samples } from "../numeric/least_squares.ts";
import type { KanModel } from "../model/model.ts";
import type { EdgeAddress } from "../pruning/prune.ts";
import { type Drawing, type PlotlyFigure, type Point, type Shape, toSvg } from "./drawing.ts";
import { type Curve, edgeCurve } from "./edge_curve.ts";

const WIDTH = 420;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 36;
const BOTTOM = 40;
const TICKS = 5;

/** How {@link plotEdge} draws. */
export interface EdgePlotOptions {
  /** Title; the place of the edge if omitted. */
  readonly title?: string;
}

/**
 * The curve of one edge as an SVG document with axes.
 *
 * @param inputs [samples, inputs of the model]; they set the range.
 * @throws RangeError if there is no such edge or no sample.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { plotEdge } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const svg = plotEdge(model, samplesFrom([[-1], [1]]), { layer: 0, input: 0, output: 0 });
 * assert.match(svg, /<polyline/);
 * ```
 */
export function plotEdge(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
  options: EdgePlotOptions = {},
): string {
  const curve = edgeCurve(model, inputs, at);
  return toSvg(drawCurve(curve, options.title ?? nameOf(at)));
}

/**
 * The curve of one edge as a plotly figure.
 *
 * @throws RangeError as `plotEdge` does.
 *
 * ```ts
 * import { createKanModel, createRandom, samplesFrom } from "@kanpress/kanpress/kan";
 * import { edgeFigure } from "@kanpress/kanpress/plots";
 * import assert from "node:assert";
 *
 * const model = createKanModel({ widths: [1, 1], random: createRandom(0) });
 * const figure = edgeFigure(model, samplesFrom([[-1], [1]]), { layer: 0, input: 0, output: 0 });
 * assert.equal(figure.data.length, 1);
 * ```
 */
export function edgeFigure(
  model: KanModel,
  inputs: Samples,
  at: EdgeAddress,
  options: EdgePlotOptions = {},
): PlotlyFigure {
  const { x, y } = edgeCurve(model, inputs, at);
  return {
    data: [{ type: "scatter", mode: "lines", x, y }],
    layout: {
      title: { text: options.title ?? nameOf(at) },
      xaxis: { title: { text: "input" } },
      yaxis: { title: { text: "output" } },
    },
  };
}

function nameOf({ layer, input, output }: EdgeAddress): string {
  return `layer ${layer}: input ${input} to sum ${output}`;
}

function drawCurve({ x, y }: Curve, title: string): Drawing {
  const across = axis(x, LEFT, WIDTH - RIGHT), up = axis(y, HEIGHT - BOTTOM, TOP);
  const shapes: Shape[] = [{
    kind: "box",
    corner: [LEFT, TOP],
    size: [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM],
    opacity: 1,
  }];
  const grid = (points: readonly Point[]): Shape => {
    return { kind: "line", points, color: "#999", width: 0.5, opacity: 0.6 };
  };
  const label = (at: Point, text: string, anchor: "middle" | "end"): Shape => {
    return { kind: "text", at, text, anchor, size: 12, color: "#333" };
  };
  for (const tick of across.ticks) {
    const position = across.place(tick);
    shapes.push(grid([[position, TOP], [position, HEIGHT - BOTTOM]]));
    shapes.push(label([position, HEIGHT - BOTTOM + 16], format(tick), "middle"));
  }
  for (const tick of up.ticks) {
    const position = up.place(tick);
    shapes.push(grid([[LEFT, position], [WIDTH - RIGHT, position]]));
    shapes.push(label([LEFT - 8, position], format(tick), "end"));
  }
  const points = x.map((value, p): Point => [across.place(value), up.place(y[p]!)]);
  shapes.push({ kind: "line", points, color: "#1f4e9c", width: 2, opacity: 1 });
  shapes.push({
    kind: "text",
    at: [WIDTH / 2, 18],
    text: title,
    anchor: "middle",
    size: 14,
    color: "#111",
  });
  return { width: WIDTH, height: HEIGHT, shapes };
}

/** A linear axis with round ticks; a constant gets a range of 1 around it. */
function axis(values: readonly number[], from: number, to: number) {
  let lowest = least(values), highest = greatest(values);
  if (!(highest > lowest)) [lowest, highest] = [lowest - 0.5, highest + 0.5];
  const space = 0.04 * (highest - lowest);
  const start = lowest - space, end = highest + space;
  const rough = (end - start) / TICKS, unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * ([1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10);
  const ticks: number[] = [];
  for (let tick = Math.ceil(start / step); tick * step <= end; tick++) ticks.push(tick * step);
  return { ticks, place: (value: number) => from + (to - from) * (value - start) / (end - start) };
}

function format(tick: number): string {
  return `${Number(tick.toPrecision(3))}`;
}
