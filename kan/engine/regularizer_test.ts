import assert from "node:assert";
import { createKanLayerModel } from "../model/layer_model.ts";
import { createRandom } from "../numeric/random.ts";
import { uniformGrid } from "../bases/grid.ts";
import { forwardLayer } from "./layer_pass.ts";
import { columnSpreads, penalizeLayer, scorePenalty } from "./regularizer.ts";

Deno.test("the penalty of scores follows the formula of pykan, written out", () => {
  // Two inputs, one output.
  const [s, t] = [0.8, 0.3];
  const entropy = (p: number) => -p * Math.log2(p + 1e-4);
  // One group of both edges for the output, and one group of one edge for each input.
  const forOutputs = entropy(s / (s + t + 1)) + entropy(t / (s + t + 1));
  const forInputs = (entropy(s / (s + 1)) + entropy(t / (t + 1))) / 2;
  const expected = s + t + 2 * (forOutputs + forInputs);
  const { value } = scorePenalty(Float64Array.of(s, t), 1, { lambda: 1 });
  assert.ok(Math.abs(value - expected) < 1e-14);
  const weighted = scorePenalty(Float64Array.of(s, t), 1, { lambda: 1, l1: 3, entropy: 0 });
  assert.ok(Math.abs(weighted.value - 3 * (s + t)) < 1e-14);
  assert.deepEqual([...weighted.gradient], [3, 3]);
});

Deno.test("the score of an edge is std(output) / (std(input) + .1), over n - 1", () => {
  const layer = createKanLayerModel({
    inputDim: 1,
    outputDim: 1,
    grid: uniformGrid({ intervals: 2 }),
    base: "identity",
    initialization: "zero",
    random: createRandom(0),
  });
  layer.baseWeights[0] = 3;
  const inputs = Float64Array.of(0, 1, 5);
  const trace = forwardLayer(layer, inputs, 3, { edges: true, slopes: false });
  const deviation = Math.sqrt(7); // of 0, 1, 5
  assert.ok(Math.abs(columnSpreads(inputs, 1).deviations[0]! - deviation) < 1e-15);
  const { value } = penalizeLayer(layer, trace, { lambda: 0.5, entropy: 0 });
  assert.ok(Math.abs(value - 0.5 * 3 * deviation / (deviation + 0.1)) < 1e-14);
});
