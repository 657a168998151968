import { type Point, type Shape, toSvg } from "../../../kan/plots/drawing.ts";
import type { CodeGap } from "./code_gap.ts";

/** One measurement to draw. */
export interface DrawnGap extends CodeGap {
  /** What was coded; one panel each. */
  readonly source: string;
  /** Trellis states; one line each. */
  readonly states: number;
}

const PANEL = { width: 260, height: 220, left: 50, top: 40, apart: 20 } as const;
const COLORS = ["#888888", "#1f77b4", "#2ca02c", "#d62728", "#9467bd", "#8c564b"];

/** Distance to the bound over the rate, in an SVG with one panel a source. */
export function gapFigure(gaps: readonly DrawnGap[]): string {
  const sources = [...new Set(gaps.map(({ source }) => source))];
  const states = [...new Set(gaps.map((gap) => gap.states))];
  const rates = gaps.map(({ bits }) => bits);
  const axes = {
    from: Math.min(...rates) - 0.25,
    to: Math.max(...rates) + 0.25,
    highest: Math.ceil(20 * Math.max(...gaps.map(({ gap }) => gap))) / 20,
  };
  const shapes: Shape[] = sources.flatMap((source, panel) => {
    const own = gaps.filter((gap) => gap.source === source);
    return drawPanel(source, own, states, axes, PANEL.left + panel * (PANEL.width + PANEL.apart));
  });
  const legend = states.map((count, i) =>
    label(
      [PANEL.left + 90 * i, PANEL.top + PANEL.height + 45],
      count === 1 ? "scalar" : `${count} states`,
      COLORS[i % COLORS.length],
    )
  );
  return toSvg({
    width: PANEL.left + sources.length * (PANEL.width + PANEL.apart),
    height: PANEL.top + PANEL.height + 65,
    shapes: [...shapes, ...legend],
  });
}

interface Axes {
  readonly from: number;
  readonly to: number;
  readonly highest: number;
}

function drawPanel(
  source: string,
  gaps: readonly DrawnGap[],
  states: readonly number[],
  { from, to, highest }: Axes,
  left: number,
): Shape[] {
  const { width, height, top } = PANEL;
  const place = (bits: number, gap: number): Point => [
    left + (bits - from) / (to - from) * width,
    top + height - gap / highest * height,
  ];
  const shapes: Shape[] = [
    { kind: "box", corner: [left, top], size: [width, height], opacity: 1 },
    label([left, top - 15], `${source}: bits above D(R), by rate`),
  ];
  for (let bits = Math.ceil(from); bits <= to; bits++) {
    shapes.push(label([place(bits, 0)[0], top + height + 15], `${bits}`));
  }
  for (let tick = 0; tick <= highest + 1e-9; tick += 0.05) {
    shapes.push(label([left - 30, place(from, tick)[1]], tick.toFixed(2)));
  }
  states.forEach((count, i) => {
    const color = COLORS[i % COLORS.length]!;
    const points = gaps.filter((gap) => gap.states === count)
      .toSorted((a, b) => a.bits - b.bits).map(({ bits, gap }) => place(bits, gap));
    if (points.length > 1) shapes.push({ kind: "line", points, color, width: 1.5, opacity: 1 });
    for (const center of points) shapes.push({ kind: "disc", center, radius: 2.5, color });
  });
  return shapes;
}

function label(at: Point, text: string, color = "#333333"): Shape {
  return { kind: "text", at, text, anchor: "start", size: 11, color };
}
