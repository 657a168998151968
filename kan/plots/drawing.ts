/** A point in pixels, from the upper left corner. */
export type Point = readonly [x: number, y: number];

/** One piece of a drawing. */
export type Shape =
  | {
    /** A line through points. */
    readonly kind: "line";
    /** At least 2 points. */
    readonly points: readonly Point[];
    /** A CSS colour. */
    readonly color: string;
    /** Pixels. */
    readonly width: number;
    /** 0 to 1. */
    readonly opacity: number;
  }
  | {
    /** A frame filled with white. */
    readonly kind: "box";
    /** Upper left corner. */
    readonly corner: Point;
    /** Width and height in pixels. */
    readonly size: readonly [number, number];
    /** 0 to 1. */
    readonly opacity: number;
  }
  | {
    /** A filled circle. */
    readonly kind: "disc";
    /** Centre. */
    readonly center: Point;
    /** Pixels. */
    readonly radius: number;
    /** A CSS colour. */
    readonly color: string;
  }
  | {
    /** Text around a point. */
    readonly kind: "text";
    /** Where. */
    readonly at: Point;
    /** The text. */
    readonly text: string;
    /** Which side of the text is at the point. */
    readonly anchor: "start" | "middle" | "end";
    /** Height of the letters in pixels. */
    readonly size: number;
    /** A CSS colour. */
    readonly color: string;
  };

/** Shapes on a white page, later ones on top. */
export interface Drawing {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** From back to front. */
  readonly shapes: readonly Shape[];
}

/** A plotly figure: plain JSON for Plotly.newPlot or the MIME type application/vnd.plotly.v1+json. */
export interface PlotlyFigure {
  /** Traces. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** Layout. */
  readonly layout: Readonly<Record<string, unknown>>;
}

/** The drawing as an SVG document; needs no browser. */
export function toSvg({ width, height, shapes }: Drawing): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" font-family="sans-serif">`;
  const page = `<rect width="${width}" height="${height}" fill="white"/>`;
  return [head, page, ...shapes.map(shapeToSvg), "</svg>", ""].join("\n");
}

function shapeToSvg(shape: Shape): string {
  switch (shape.kind) {
    case "line": {
      const points = shape.points.map(([x, y]) => `${short(x)},${short(y)}`).join(" ");
      return `<polyline points="${points}" fill="none" stroke="${shape.color}" ` +
        `stroke-width="${shape.width}" stroke-linejoin="round" opacity="${short(shape.opacity)}"/>`;
    }
    case "box": {
      const [x, y] = shape.corner, [width, height] = shape.size;
      return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" ` +
        `height="${short(height)}" fill="white" stroke="#333" stroke-opacity="${
          short(shape.opacity)
        }"/>`;
    }
    case "disc": {
      const [x, y] = shape.center;
      return `<circle cx="${short(x)}" cy="${
        short(y)
      }" r="${shape.radius}" fill="${shape.color}"/>`;
    }
    case "text": {
      const [x, y] = shape.at;
      return `<text x="${short(x)}" y="${short(y)}" text-anchor="${shape.anchor}" ` +
        `dominant-baseline="central" font-size="${shape.size}" fill="${shape.color}">` +
        `${escapeXml(shape.text)}</text>`;
    }
  }
}

/** The drawing as a plotly figure without axes. */
export function toPlotly({ width, height, shapes }: Drawing): PlotlyFigure {
  const data: Record<string, unknown>[] = [];
  const layoutShapes: Record<string, unknown>[] = [];
  const annotations: Record<string, unknown>[] = [];
  for (const shape of shapes) {
    switch (shape.kind) {
      case "line":
        data.push({
          ...traceOf(shape.points, "lines"),
          line: { color: shape.color, width: shape.width },
          opacity: shape.opacity,
        });
        break;
      case "box": {
        const [x, y] = shape.corner, [boxWidth, boxHeight] = shape.size;
        const corners = { x0: x, y0: y, x1: x + boxWidth, y1: y + boxHeight };
        const line = { color: "#333", width: 1 };
        const { opacity } = shape;
        layoutShapes.push({ type: "rect", ...corners, line, opacity, layer: "below" });
        break;
      }
      case "disc":
        data.push({
          ...traceOf([shape.center], "markers"),
          marker: { color: shape.color, size: 2 * shape.radius },
        });
        break;
      case "text":
        annotations.push({
          x: shape.at[0],
          y: shape.at[1],
          text: escapeXml(shape.text),
          showarrow: false,
          xanchor: { start: "left", middle: "center", end: "right" }[shape.anchor],
          yanchor: "middle",
          font: { size: shape.size, color: shape.color },
        });
        break;
    }
  }
  const axis = { visible: false, fixedrange: true };
  const layout = {
    width,
    height,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    xaxis: { ...axis, range: [0, width] },
    yaxis: { ...axis, range: [height, 0] },
    plot_bgcolor: "white",
    shapes: layoutShapes,
    annotations,
  };
  return { data, layout };
}

function traceOf(points: readonly Point[], mode: "lines" | "markers"): Record<string, unknown> {
  const x = points.map(([across]) => across), y = points.map(([, down]) => down);
  return { type: "scatter", mode, x, y, hoverinfo: "skip", showlegend: false };
}

/** At most two decimals: a hundredth of a pixel. */
function short(value: number): string {
  return `${Math.round(value * 100) / 100}`;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
