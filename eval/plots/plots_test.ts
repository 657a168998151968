import assert from "node:assert";
import fc from "fast-check";
import { InputError } from "../../data/input_error.ts";
import { createRandom } from "../../kan/numeric/random.ts";
import { barsFigure } from "./bars.ts";
import { bitsPerLayerFigure } from "./bits_per_layer.ts";
import { barFill, DASH_COUNT, seriesStyle } from "./figure.ts";
import { functionsFigure } from "./functions.ts";
import { paretoFront } from "./pareto.ts";
import { rateDistortionFigure } from "./rate_distortion.ts";
import { singularValues } from "./singular_values.ts";
import { exampleFigures } from "./testdata/example_figures.ts";
import { renderSvg } from "./svg/render_svg.ts";
import { closestColors, visions } from "./testdata/color_vision.ts";
import { tradeOffFigure } from "./trade_off.ts";

Deno.test("figures are plain JSON with a title and titled axes", () => {
  for (const [name, figure] of Object.entries(exampleFigures())) {
    assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure, name);
    const { title, xaxis, yaxis } = figure.layout as Record<string, { title: { text: string } }>;
    for (const axis of [xaxis!, yaxis!]) assert.ok(axis.title.text.length >= 3, name);
    assert.ok((title as unknown as { text: string }).text.length >= 3, name);
    assert.ok(figure.data.every(({ x, y }) => (x as []).length === (y as []).length), name);
  }
});

Deno.test("series can be told apart without colour, lines without markers by colour and dash", () => {
  const styles = Array.from({ length: 14 }, (_, i) => seriesStyle(i));
  for (const look of ["symbol", "color"] as const) {
    assert.equal(new Set(styles.map((style) => `${style[look]} ${style.dash}`)).size, 14, look);
  }
  const few = styles.slice(0, DASH_COUNT);
  assert.equal(new Set(few.map(({ dash }) => dash)).size, DASH_COUNT);
});

Deno.test("colours differ for colour-blind readers too", () => {
  const colors = Array.from({ length: 7 }, (_, i) => seriesStyle(i).color);
  const fills = Array.from({ length: 6 }, (_, i) => barFill(i));
  for (const vision of visions) {
    assert.ok(closestColors(colors, vision) > 0.07, `series, ${vision}`);
    assert.ok(closestColors(fills, vision) > 0.07, `bars, ${vision}`);
  }
  // A brown and an orange that no reader without the middle cones can tell apart.
  assert.ok(closestColors(["#B87700", "#D55E00"], "deuteranopia") < 0.01);
});

Deno.test("more curves than there are dashes have markers", () => {
  const texts = { title: "t", xTitle: "x", yTitle: "y" };
  const x = Array.from({ length: 1000 }, (_, i) => i);
  const curves = Array.from({ length: 8 }, (_, i) => ({ name: `${i}`, x, y: x.map((v) => v * i) }));
  const many = functionsFigure(curves, texts);
  const symbols = many.data.map(({ marker }) => (marker as { symbol: string }).symbol);
  assert.deepEqual(symbols.slice(0, 2), ["circle", "square"]);
  assert.ok(functionsFigure(curves.slice(0, 2), texts).data.every(({ mode }) => mode === "lines"));
  const squares = renderSvg(many).match(/<polygon/g)!.length;
  assert.ok(squares > 6 * 10 && squares < 8 * 22, `${squares} markers`);
});

Deno.test("the Pareto front has exactly the points that none beats", () => {
  const coordinate = fc.integer({ min: 0, max: 9 });
  const points = fc.array(fc.record({ x: coordinate, y: coordinate }), { maxLength: 30 });
  fc.assert(fc.property(points, (points) => {
    const front = paretoFront(points);
    const beaten = (i: number) =>
      points.some(({ x, y }) =>
        x <= points[i]!.x && y <= points[i]!.y && (x < points[i]!.x || y < points[i]!.y)
      );
    const expected = new Set(
      points.filter((_, i) => !beaten(i)).map(({ x, y }) => `${x} ${y}`),
    );
    assert.deepEqual(new Set(front.map((i) => `${points[i]!.x} ${points[i]!.y}`)), expected);
    assert.equal(front.length, expected.size);
    front.slice(1).forEach((i, k) => assert.ok(points[front[k]!]!.x < points[i]!.x));
  }));
  assert.deepEqual(paretoFront([{ x: 1, y: NaN }, { x: Infinity, y: 0 }]), []);
  const sameTarget = [{ x: 2.999, y: 5 }, { x: 3, y: 1 }, { x: 2.98, y: 9 }];
  assert.deepEqual(paretoFront(sameTarget), [2, 1]);
});

Deno.test("the trade-off has error bars, a front and the original", () => {
  const figure = tradeOffFigure([
    { method: "a", bitsPerWeight: 3, value: 60, standardError: 2 },
    { method: "a", bitsPerWeight: 2, value: 90 },
    { method: "b", bitsPerWeight: 3, value: 70 },
  ], { measure: "perplexity", original: 50 });
  const [front, original, a, b] = figure.data;
  assert.deepEqual([front!["x"], front!["y"]], [[2, 3], [90, 60]]);
  assert.deepEqual(original!["y"], [50, 50]);
  assert.deepEqual(a!["x"], [2, 3]);
  assert.deepEqual((a!["error_y"] as { array: number[] }).array, [0, 2]);
  assert.equal(b!["error_y"], undefined);
});

Deno.test("bits by depth follow the layers' numbers, not the order of names", () => {
  const figure = bitsPerLayerFigure([10, 2, 0].map((layer) => ({
    name: `model.layers.${layer}.mlp.up_proj.weight`,
    shape: [8, 8],
    bitsPerWeight: layer + 1,
  })));
  assert.equal(figure.data[0]!["name"], "mlp.up_proj");
  assert.deepEqual(figure.data[0]!["x"], [0, 2, 10]);
  assert.deepEqual(figure.data[0]!["y"], [1, 3, 11]);
});

Deno.test("singular values have the matrix' norm, and are known for products of rotations", () => {
  const random = createRandom(4);
  for (const [rows, columns] of [[7, 7], [5, 9], [9, 5], [1, 4], [40, 30]] as const) {
    const data = Float32Array.from({ length: rows * columns }, () => random.normal());
    const values = singularValues(data, rows, columns);
    assert.equal(values.length, Math.min(rows, columns));
    assert.deepEqual([...values], [...values].sort((a, b) => b - a));
    const energy = data.reduce((sum, x) => sum + x * x, 0);
    const sum = values.reduce((sum, x) => sum + x * x, 0);
    assert.ok(Math.abs(sum / energy - 1) < 1e-6);
  }
  const [c, s] = [Math.cos(0.3), Math.sin(0.3)];
  // R(0.3) diag(5, 0.25) R(-0.3)
  const data = Float32Array.of(
    5 * c * c + 0.25 * s * s,
    4.75 * c * s,
    4.75 * c * s,
    5 * s * s + 0.25 * c * c,
  );
  const [first, second] = singularValues(data, 2, 2);
  assert.ok(Math.abs(first! - 5) < 1e-6 && Math.abs(second! - 0.25) < 1e-6);
  assert.deepEqual([...singularValues(new Float32Array(4), 2, 2)], [0, 0]);
});

Deno.test("what cannot be drawn is refused", () => {
  const point = { method: "a", bitsPerWeight: 3, value: 0 };
  const texts = { title: "t", xTitle: "x", yTitle: "y" };
  const misuses = [
    () => tradeOffFigure([], { measure: "perplexity" }),
    () => tradeOffFigure([point], { measure: "klDivergence" }),
    () => bitsPerLayerFigure([{ name: "a", shape: [3], bitsPerWeight: 1 }]),
    () => rateDistortionFigure([{ method: "a", rate: 1, distortion: 0 }]),
    () => functionsFigure([{ name: "f", x: [1], y: [] }], texts),
    () => barsFigure(["a"], [{ name: "b", values: [1, 2] }], texts),
  ];
  for (const misuse of misuses) assert.throws(misuse, InputError);
});
