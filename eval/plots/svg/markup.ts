/** One SVG element; attributes that are undefined are left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  content: string = "",
): string {
  const list = Object.entries(attributes).filter(([, value]) => value !== undefined)
    .map(([key, value]) =>
      ` ${key}="${typeof value === "number" ? short(value) : escapeXml(value!)}"`
    );
  return content === ""
    ? `<${name}${list.join("")}/>`
    : `<${name}${list.join("")}>${content}</${name}>`;
}

/** Text as SVG or HTML shows it. */
export function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A hundredth of a pixel is enough. */
function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** The dashes of a line `width` pixels wide, by plotly's names. */
export function dashArray(dash: string | undefined, width: number): string | undefined {
  const unit = Math.max(2, width);
  const parts = {
    dash: [4, 2.5],
    dot: [1, 2],
    dashdot: [4, 2, 1, 2],
    longdash: [8, 3],
    longdashdot: [8, 2, 1, 2],
  }[dash ?? ""];
  return parts?.map((part) => part * unit).join(" ");
}

/** A marker by plotly's name, around a point. */
export function marker(symbol: string, x: number, y: number, size: number, fill: string): string {
  const r = size / 2;
  const polygon = (...points: [number, number][]) =>
    element("polygon", {
      points: points.map(([dx, dy]) => `${(x + dx * r).toFixed(2)},${(y + dy * r).toFixed(2)}`)
        .join(" "),
      fill,
    });
  const thick = 0.4;
  const plus: [number, number][] = [
    [-thick, -1],
    [thick, -1],
    [thick, -thick],
    [1, -thick],
    [1, thick],
    [thick, thick],
    [thick, 1],
    [-thick, 1],
    [-thick, thick],
    [-1, thick],
    [-1, -thick],
    [-thick, -thick],
  ];
  switch (symbol) {
    case "square":
      return polygon([-1, -1], [1, -1], [1, 1], [-1, 1]);
    case "diamond":
      return polygon([0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]);
    case "triangle-up":
      return polygon([0, -1.2], [1.1, 0.8], [-1.1, 0.8]);
    case "triangle-down":
      return polygon([0, 1.2], [1.1, -0.8], [-1.1, -0.8]);
    case "cross":
      return polygon(...plus);
    case "x":
      return polygon(...plus.map(([a, b]): [number, number] => [(a - b) * 0.8, (a + b) * 0.8]));
    default:
      return element("circle", { cx: x, cy: y, r, fill });
  }
}
