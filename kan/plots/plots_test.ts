import assert from "node:assert";
import { samplesFrom } from "../engine/evaluate.ts";
import { createKanModel } from "../model/model.ts";
import { removeEdge } from "../pruning/prune.ts";
import { createRandom } from "../numeric/random.ts";
import { fixSymbolic } from "../symbolic/suggest.ts";
import { edgeFigure, plotEdge } from "./edge.ts";
import { edgeCurve } from "./edge_curve.ts";
import { networkFigure, plotNetwork } from "./network.ts";

const random = createRandom(2);
const inputs = samplesFrom(
  Array.from({ length: 40 }, () => [2 * random.uniform() - 1, random.normal()]),
);
const create = () => {
  const widths = [2, { sums: 1, products: [2] }, 1] as const;
  const model = createKanModel({ widths, random: createRandom(0) });
  const fixed = fixSymbolic(model, inputs, { layer: 0, input: 0, output: 0 }, "sin");
  return removeEdge(fixed, inputs, { layer: 0, input: 1, output: 2 });
};

/** How often a tag with an attribute of this value occurs. */
function count(svg: string, pattern: RegExp): number {
  return [...svg.matchAll(pattern)].length;
}

Deno.test("the network has a box for every living edge, a disc for every node and sum", () => {
  const svg = plotNetwork(create(), inputs, { inputNames: ["a<b", "c"], title: "T & U" });
  assert.equal(count(svg, /<rect x=/g), 5 + 2);
  assert.equal(count(svg, /<circle/g), 2 + 3 + 2 + 1);
  assert.equal(count(svg, /stroke="#c0392b"/g), 1);
  assert.equal(count(svg, />×</g), 1);
  assert.match(svg, />a&lt;b</);
  assert.match(svg, />T &amp; U</);
  assert.ok(!svg.includes("NaN"));
});

Deno.test("every shape lies on the page", () => {
  const svg = plotNetwork(create(), inputs);
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
  for (const [, points] of svg.matchAll(/points="([^"]*)"/g)) {
    for (const pair of points!.split(" ")) {
      const [x, y] = pair.split(",").map(Number);
      assert.ok(x! >= 0 && x! <= width! && y! >= 0 && y! <= height!);
    }
  }
});

Deno.test("faint edges are those of low score", () => {
  const model = createKanModel({
    widths: [2, 1],
    initialization: "zero",
    base: "identity",
    random: createRandom(0),
  });
  model.layers[0]!.baseWeights.set([1, 1e-3]);
  const opacities = [...plotNetwork(model, inputs).matchAll(/stroke-opacity="([\d.]+)"/g)];
  const [strong, faint] = opacities.map(([, opacity]) => Number(opacity));
  assert.ok(strong! > 0.9 && faint! < 0.2 && faint! > 0.1);
});

Deno.test("the plotly figure is plain JSON with the same curves", () => {
  const figure = networkFigure(create(), inputs);
  assert.deepEqual(JSON.parse(JSON.stringify(figure)), figure);
  const curves = figure.data.filter(({ x }) => (x as number[]).length === 61);
  assert.equal(curves.length, 7);
});

Deno.test("an edge is drawn over the range of its samples", () => {
  const at = { layer: 0, input: 1, output: 0 };
  const values = inputs.data.filter((_, i) => i % 2 === 1);
  const { x, y } = edgeCurve(create(), inputs, at, 11);
  assert.equal(x[0], Math.min(...values));
  assert.equal(x[10], Math.max(...values));
  assert.equal(y.length, 11);
  assert.match(plotEdge(create(), inputs, at), /layer 0: input 1 to sum 0/);
  assert.equal((edgeFigure(create(), inputs, at).data[0]!.x as number[]).length, 101);
  assert.throws(() => plotEdge(create(), samplesFrom([]), at), /at least 1 sample/);
  assert.throws(() => plotEdge(create(), inputs, { ...at, output: 3 }), /no edge/);
});

Deno.test("a single sample and constant curves give finite drawings", () => {
  const one = samplesFrom([[0.5, 0.5]]);
  assert.ok(!plotNetwork(create(), one).includes("NaN"));
  assert.ok(!plotEdge(create(), one, { layer: 0, input: 0, output: 0 }).includes("NaN"));
});

Deno.test("names must fit", () => {
  assert.throws(() => plotNetwork(create(), inputs, { inputNames: ["a"] }), /2 input and 1 output/);
});
