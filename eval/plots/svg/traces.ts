import { dashArray, element, marker } from "./markup.ts";
import type { Scale } from "./scale.ts";

/** What of a plotly trace is drawn without a browser: lines, markers, error bars and bars. */
export interface Trace {
  /** `scatter` or `bar`. */
  readonly type?: string;
  /** `lines`, `markers` or `lines+markers`. */
  readonly mode?: string;
  /** Name in the legend. */
  readonly name?: string;
  /** Positions. */
  readonly x: readonly unknown[];
  /** Values; null leaves a gap. */
  readonly y: readonly unknown[];
  /** Colour, width and dash of the line. */
  readonly line?: { readonly color?: string; readonly width?: number; readonly dash?: string };
  /** Colour, shape and size of the markers, and about how many of them are drawn at most. */
  readonly marker?: {
    readonly color?: string;
    readonly symbol?: string;
    readonly size?: number;
    readonly maxdisplayed?: number;
  };
  /** Standard errors of the values. */
  readonly error_y?: { readonly array: readonly number[] };
  /** Whether the legend has it; true if omitted. */
  readonly showlegend?: boolean;
  /** 0 to 1. */
  readonly opacity?: number;
}

/** Where a trace is drawn: the rectangle inside the axes, and its scales. */
export interface PlotArea {
  /** Left edge in pixels. */
  readonly left: number;
  /** Upper edge in pixels. */
  readonly top: number;
  /** Width in pixels. */
  readonly width: number;
  /** Height in pixels. */
  readonly height: number;
  /** Horizontal scale. */
  readonly x: Scale;
  /** Vertical scale. */
  readonly y: Scale;
}

/** Horizontal position of a value in pixels. */
export function toX({ left, width, x }: PlotArea, value: unknown): number {
  return left + width * x.at(value);
}

/** Vertical position of a value in pixels. */
export function toY({ top, height, y }: PlotArea, value: unknown): number {
  return top + height * (1 - y.at(value));
}

/** A scatter trace. */
export function drawScatter(trace: Trace, area: PlotArea): string {
  const points = trace.x.map((x, i) => {
    const y = trace.y[i];
    return typeof y === "number" ? [toX(area, x), toY(area, y)] as const : undefined;
  });
  const parts: string[] = [];
  const { mode = "lines", line = {}, opacity } = trace;
  if (mode.includes("lines")) {
    const { color, width = 2, dash } = line;
    for (const run of unbroken(points)) {
      parts.push(element("polyline", {
        points: run.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join(" "),
        fill: "none",
        stroke: color,
        "stroke-width": width,
        "stroke-dasharray": dashArray(dash, width),
        "stroke-linejoin": "round",
        opacity,
      }));
    }
  }
  parts.push(...drawErrors(trace, area));
  if (mode.includes("markers")) {
    const { symbol = "circle", size = 6, color = "black", maxdisplayed = Infinity } =
      trace.marker ?? {};
    const every = Math.max(1, Math.ceil(points.length / maxdisplayed));
    for (const [index, point] of points.entries()) {
      if (index % every === 0 && point !== undefined && point.every(Number.isFinite)) {
        parts.push(marker(symbol, point[0], point[1], size, color));
      }
    }
  }
  return parts.join("\n");
}

function unbroken(
  points: readonly (readonly [number, number] | undefined)[],
): (readonly [number, number])[][] {
  const runs: (readonly [number, number])[][] = [[]];
  for (const point of points) {
    if (point === undefined || !point.every(Number.isFinite)) runs.push([]);
    else runs.at(-1)!.push(point);
  }
  return runs.filter((run) => run.length > 1);
}

function drawErrors({ x, y, error_y: errors, marker }: Trace, area: PlotArea): string[] {
  if (errors === undefined) return [];
  return x.flatMap((at, i) => {
    const value = Number(y[i]), error = errors.array[i] ?? 0;
    if (!(error > 0)) return [];
    const center = toX(area, at), high = toY(area, value + error);
    const below = toY(area, value - error);
    const low = Number.isFinite(below)
      ? Math.min(below, area.top + area.height)
      : area.top + area.height;
    return [element("path", {
      d: `M${center - 4},${high}h8m-4,0V${low}m-4,0h8`,
      stroke: marker?.color ?? "black",
      "stroke-width": 1.2,
      fill: "none",
    })];
  });
}

/** All bar traces together, side by side or on top of each other. */
export function drawBars(traces: readonly Trace[], area: PlotArea, stacked: boolean): string {
  const slot = area.width / Math.max(1, area.x.ticks.length);
  const bar = 0.8 * slot / (stacked ? 1 : traces.length);
  const tops = new Map<unknown, number>();
  return traces.flatMap((trace, index) =>
    trace.x.map((category, i) => {
      const base = stacked ? tops.get(category) ?? 0 : 0;
      const value = base + Number(trace.y[i]);
      tops.set(category, value);
      const from = stacked && base !== 0
        ? toY(area, base)
        : area.top + area.height * (1 - area.y.zero);
      const to = toY(area, value);
      return element("rect", {
        x: toX(area, category) - 0.4 * slot + (stacked ? 0 : index * bar),
        y: Math.min(from, to),
        width: bar,
        height: Math.abs(from - to),
        fill: trace.marker?.color,
        stroke: "white",
      });
    })
  ).join("\n");
}
