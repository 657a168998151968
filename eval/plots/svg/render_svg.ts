import type { Figure } from "../figure.ts";
import { dashArray, element, escapeXml, marker } from "./markup.ts";
import { createScale, type ScaleOptions } from "./scale.ts";
import { drawBars, drawScatter, type PlotArea, toX, toY, type Trace } from "./traces.ts";
import { greatest } from "../../../data/extremes.ts";

interface LayoutAxis extends ScaleOptions {
  readonly title?: { readonly text?: string };
  readonly visible?: boolean;
}

/** What of a plotly layout is drawn. */
interface Layout {
  readonly title?: { readonly text?: string };
  readonly width?: number;
  readonly height?: number;
  readonly xaxis?: LayoutAxis;
  readonly yaxis?: LayoutAxis;
  readonly barmode?: string;
  readonly showlegend?: boolean;
  readonly shapes?: readonly Rectangle[];
  readonly annotations?: readonly Annotation[];
}

interface Rectangle {
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  readonly line?: { readonly color?: string; readonly width?: number };
  readonly opacity?: number;
}

interface Annotation {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  readonly xanchor?: string;
  readonly font?: { readonly size?: number; readonly color?: string };
}

const TEXT = "#1b1f24";
const LINE = "#595959";
/** Width of a letter of 12 pixels, for the room that the legend takes. */
const LETTER = 7.2;
const LEGEND_ROW = 20;

/**
 * A figure of this project as SVG without a browser: lines, markers, error bars, bars, rectangles
 * and texts. Simpler than plotly's own picture, with the same data and colours.
 */
export function renderSvg(figure: Figure): string {
  const traces = figure.data as readonly unknown[] as readonly Trace[];
  const layout = figure.layout as Layout;
  const { width = 820, height = 500 } = layout;
  const named = layout.showlegend === false
    ? []
    : traces.filter(({ name, showlegend }) => name !== undefined && showlegend !== false);
  const framed = layout.xaxis?.visible !== false;
  const legendWidth = named.length === 0
    ? 0
    : 56 + LETTER * greatest(named.map(({ name = "" }) => plain(name).length));
  const area = plotArea(traces, layout, framed ? width - legendWidth : width, height, framed);
  const bars = traces.filter(({ type }) => type === "bar");
  const parts = [
    element("rect", { width, height, fill: "white" }),
    ...framed ? drawAxes(area, layout) : [],
    ...(layout.shapes ?? []).map((shape) => drawRectangle(shape, area)),
    drawBars(bars, area, layout.barmode === "stack"),
    ...traces.filter(({ type }) => type !== "bar").map((trace) => drawScatter(trace, area)),
    ...(layout.annotations ?? []).map((note) => drawAnnotation(note, area)),
    ...named.map((trace, row) => drawLegendRow(trace, row, area)),
    text(plain(layout.title?.text ?? ""), { x: width / 2, y: 28, size: 16, anchor: "middle" }),
  ];
  return element("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    "font-family": "DejaVu Sans, Verdana, sans-serif",
  }, parts.filter((part) => part !== "").join("\n")) + "\n";
}

function plotArea(
  traces: readonly Trace[],
  { xaxis = {}, yaxis = {}, barmode }: Layout,
  width: number,
  height: number,
  framed: boolean,
): PlotArea {
  const bars = traces.some(({ type }) => type === "bar");
  const ys = traces.flatMap(({ y, error_y: errors }) =>
    y.flatMap((value, i) =>
      typeof value === "number"
        ? [value, value + (errors?.array[i] ?? 0), value - (errors?.array[i] ?? 0)]
        : []
    )
  );
  const values = barmode === "stack" ? [...ys, ...stackHeights(traces)] : ys;
  const x = createScale(traces.flatMap((trace) => [...trace.x]), xaxis);
  const y = createScale(values, bars ? { ...yaxis, include: [0] } : yaxis);
  if (!framed) return { left: 0, top: 0, width, height, x, y };
  const labels = greatest([0, ...y.ticks.map(({ label }) => label.length)]);
  const left = 44 + LETTER * labels;
  return { left, top: 52, width: width - left - 20, height: height - 52 - 62, x, y };
}

function stackHeights(traces: readonly Trace[]): number[] {
  const sums = new Map<unknown, number>();
  for (const { x, y } of traces) {
    x.forEach((category, i) => sums.set(category, (sums.get(category) ?? 0) + Number(y[i])));
  }
  return [...sums.values()];
}

function drawAxes(area: PlotArea, { xaxis, yaxis }: Layout): string[] {
  const { left, top, width, height, x, y } = area;
  const bottom = top + height;
  const line = (d: string, stroke: string) => element("path", { d, stroke, fill: "none" });
  return [
    ...x.ticks.flatMap(({ at, label }) => {
      const position = left + width * at;
      return [
        line(`M${position},${top}V${bottom}`, "#dddddd"),
        line(`M${position},${bottom}v5`, LINE),
        text(label, { x: position, y: bottom + 20, size: 12, anchor: "middle" }),
      ];
    }),
    ...y.ticks.flatMap(({ at, label }) => {
      const position = top + height * (1 - at);
      return [
        line(`M${left},${position}h${width}`, "#dddddd"),
        line(`M${left},${position}h-5`, LINE),
        text(label, { x: left - 9, y: position + 4, size: 12, anchor: "end" }),
      ];
    }),
    line(`M${left},${top}V${bottom}H${left + width}`, LINE),
    text(plain(xaxis?.title?.text ?? ""), {
      x: left + width / 2,
      y: bottom + 46,
      size: 13,
      anchor: "middle",
    }),
    text(plain(yaxis?.title?.text ?? ""), {
      x: 20,
      y: top + height / 2,
      size: 13,
      anchor: "middle",
      turned: true,
    }),
  ];
}

function drawRectangle({ x0, x1, y0, y1, line, opacity }: Rectangle, area: PlotArea): string {
  const [left, right] = [toX(area, x0), toX(area, x1)];
  const [above, below] = [toY(area, y0), toY(area, y1)];
  return element("rect", {
    x: Math.min(left, right),
    y: Math.min(above, below),
    width: Math.abs(right - left),
    height: Math.abs(below - above),
    fill: "none",
    stroke: line?.color ?? LINE,
    "stroke-width": line?.width ?? 1,
    opacity,
  });
}

function drawAnnotation(
  { x, y, text: content, xanchor, font }: Annotation,
  area: PlotArea,
): string {
  const size = font?.size ?? 12;
  return text(plain(content), {
    x: toX(area, x),
    y: toY(area, y) + 0.35 * size,
    size,
    anchor: xanchor === "left" ? "start" : xanchor === "right" ? "end" : "middle",
    ...(font?.color === undefined ? {} : { color: font.color }),
  });
}

function drawLegendRow(trace: Trace, row: number, { left, top, width }: PlotArea): string {
  const x = left + width + 14, y = top + 10 + LEGEND_ROW * row;
  const { line, mode = "lines", marker: style } = trace;
  const parts: string[] = [];
  if (trace.type === "bar") {
    parts.push(element("rect", { x: x + 6, y: y - 6, width: 16, height: 12, fill: style?.color }));
  } else {
    if (mode.includes("lines")) {
      parts.push(element("path", {
        d: `M${x},${y}h28`,
        stroke: line?.color,
        "stroke-width": line?.width ?? 2,
        "stroke-dasharray": dashArray(line?.dash, line?.width ?? 2),
      }));
    }
    if (mode.includes("markers")) {
      parts.push(marker(style?.symbol ?? "circle", x + 14, y, 9, style?.color ?? "black"));
    }
  }
  const label = text(plain(trace.name ?? ""), { x: x + 34, y: y + 4, size: 12, anchor: "start" });
  return [...parts, label].join("\n");
}

interface TextOptions {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly anchor: "start" | "middle" | "end";
  readonly color?: string;
  readonly turned?: boolean;
}

function text(content: string, { x, y, size, anchor, color, turned }: TextOptions): string {
  if (content === "") return "";
  return element("text", {
    x,
    y,
    "font-size": size,
    "text-anchor": anchor,
    fill: color ?? TEXT,
    transform: turned === true ? `rotate(-90 ${x} ${y})` : undefined,
  }, escapeXml(content));
}

/** Plotly's texts are HTML; tags are left out and entities written out. */
function plain(content: string): string {
  return content.replaceAll(/<[^>]*>/g, "").replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
