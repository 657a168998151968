import assert from "node:assert";
import type { TransformerDescription } from "../architectures/description.ts";
import { describeModel } from "../architectures/registry.ts";
import type { Calibration, LinearCalibration } from "./calibration.ts";
import { tensorMetrics } from "./tensor_metrics.ts";

const CONFIG = {
  model_type: "gpt2",
  n_embd: 2,
  n_head: 1,
  n_layer: 1,
  n_positions: 4,
  vocab_size: 3,
};
const NAMES = ["transformer.wte.weight", "transformer.wpe.weight"];

function calibration(inputsOfHead: string): Calibration {
  const head = {
    inputAxis: 1 as const,
    hessian: Float64Array.of(2, 1, 1, 4),
    fisher: Float64Array.of(0.1, 0.2, 0.05),
    sharedWith: [],
  };
  return {
    tokens: 100,
    contextLength: 2,
    linears: new Map([[inputsOfHead, head]]),
    tokenFrequencies: Float64Array.of(0.5, 0.5, 0),
    embeddingMoment: Float64Array.of(3, 0.5, 0.5, 1),
  };
}

function describe(tied: boolean): TransformerDescription {
  const names = tied ? NAMES : [...NAMES, "lm_head.weight"];
  return describeModel({ ...CONFIG, tie_word_embeddings: tied }, names);
}

Deno.test("a tied embedding's metric costs what both of its uses cost, summed over rows", () => {
  const metric = tensorMetrics(describe(true), calibration(NAMES[0]!)).get(NAMES[0]!)!;
  // Errors of one direction in every row: Σ_v f_v dᵀHd + g_v dᵀGd = dᵀ(0.35 H + 1 G)d.
  const expected = [0.35 * 2 + 3, 0.35 + 0.5, 0.35 + 0.5, 0.35 * 4 + 1];
  metric.hessian.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-12));
  // Row weights are the traces' shares and sum to 1.
  const traces = [0.1 * 6 + 0.5 * 4, 0.2 * 6 + 0.5 * 4, 0.05 * 6];
  const total = traces.reduce((sum, value) => sum + value, 0);
  metric.fisher!.forEach((value, v) => assert.ok(Math.abs(value - traces[v]! / total) < 1e-12));
});

Deno.test("an untied embedding counts by token frequency, its head by itself", () => {
  const metrics = tensorMetrics(describe(false), calibration("lm_head.weight"));
  const embedding = metrics.get(NAMES[0]!)!;
  assert.deepEqual([...embedding.hessian], [3, 0.5, 0.5, 1]);
  assert.deepEqual([...embedding.fisher!], [0.5, 0.5, 0]);
  assert.deepEqual([...metrics.get("lm_head.weight")!.fisher!], [0.1, 0.2, 0.05]);
});

Deno.test("positions beyond the calibrated context have no weight of their own", () => {
  const metric = tensorMetrics(describe(true), calibration(NAMES[0]!)).get(NAMES[1]!)!;
  assert.deepEqual([...metric.fisher!], [0.5, 0.5, 0, 0]);
});

Deno.test("errors of a scaled embedding cost by the square of the factor, those of positions do not", () => {
  const model = { ...describe(false), embeddingScale: 3, positionOffset: 2 };
  const metrics = tensorMetrics(model, calibration("lm_head.weight"));
  assert.deepEqual([...metrics.get(NAMES[0]!)!.hessian], [27, 4.5, 4.5, 9]);
  const positions = metrics.get(NAMES[1]!)!;
  assert.deepEqual([...positions.hessian], [3, 0.5, 0.5, 1]);
  assert.deepEqual([...positions.fisher!], [0, 0, 0.5, 0.5, 0, 0]);
});

Deno.test("without a backward pass only the linear layers have metrics", () => {
  const { embeddingMoment: _, ...rest } = calibration("transformer.h.0.attn.c_attn.weight");
  const metrics = tensorMetrics(describe(true), rest);
  assert.deepEqual([...metrics.keys()], ["transformer.h.0.attn.c_attn.weight"]);
});

Deno.test("in a model of zeros, where no error costs anything, no cost is NaN", () => {
  const { linears, embeddingMoment, ...rest } = calibration(NAMES[0]!);
  const [[name, linear]] = [...linears] as [[string, LinearCalibration]];
  const nothing = {
    ...rest,
    linears: new Map([[name, { ...linear, hessian: linear.hessian.map(() => 0) }]]),
    embeddingMoment: embeddingMoment!.map(() => 0),
  };
  const metric = tensorMetrics(describe(true), nothing).get(NAMES[0]!)!;
  assert.deepEqual([...metric.hessian, ...metric.fisher!], new Array(7).fill(0));
});
