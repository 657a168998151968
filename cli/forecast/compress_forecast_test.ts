import assert from "node:assert";
import { describeModel } from "../../eval/architectures/registry.ts";
import { sum } from "../terminal/forecast.ts";
import { compressForecast, type CompressionPlan } from "./compress_forecast.ts";
import { modelWork } from "./step_costs.ts";

/** GPT-2's sizes. */
const DESCRIPTION = describeModel({
  model_type: "gpt2",
  vocab_size: 50257,
  n_positions: 1024,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
}, []);

const WAY = "deno task native:install";

const PLAN: CompressionPlan = {
  backend: "wasm",
  threads: 2,
  calibration: { tokens: 16_384, written: 16_384, isKept: false },
  byDivergence: false,
  measuredTokens: 8192,
  checkedTokens: 2048,
};

const names = ({ phases }: ReturnType<typeof compressForecast>) => phases.map(({ name }) => name);

Deno.test("forecast: the work of a model is counted by its matrices", () => {
  const matrices = 12 * 12 * 768 ** 2, head = 50257 * 768;
  const { products, weights, cubes } = modelWork(DESCRIPTION);
  assert.equal(products, matrices + head);
  // The head is the embedding once more.
  assert.equal(weights, matrices + head);
  // Inputs of four kinds, and blocks of at most 1,024 outputs; last, head and embedding.
  const inputs = 3 * 768 ** 3 + 3072 ** 3, outputs = 5 * 768 ** 3 + 3 * 1024 ** 3;
  assert.equal(cubes, 12 * (inputs + outputs) + 2 * 768 ** 3);
});

Deno.test("forecast: calibration that is kept, or none, leaves its phases out", () => {
  const whole = compressForecast(DESCRIPTION, PLAN, WAY);
  const all = ["sample", "calibrate", "factor", "compress", "decompress", "evaluate", "check"];
  assert.deepEqual(names(whole), all);
  const kept = { ...PLAN, calibration: { ...PLAN.calibration!, isKept: true } };
  assert.deepEqual(names(compressForecast(DESCRIPTION, kept, WAY)), all.slice(2));
  const { calibration: _, ...free } = PLAN;
  const bare = { ...free, measuredTokens: 0, checkedTokens: 0 };
  assert.deepEqual(names(compressForecast(DESCRIPTION, bare, WAY)), ["compress", "decompress"]);
  // Ten minutes of calibration on each of two cores were measured with a model of these sizes.
  const calibrate = whole.phases.find(({ name }) => name === "calibrate")!.seconds;
  assert.ok(calibrate > 400 && calibrate < 900, `${calibrate}`);
});

Deno.test("forecast: only what saves time is proposed, what saves most first", () => {
  const { quicker, phases } = compressForecast(DESCRIPTION, PLAN, WAY);
  assert.equal(quicker?.length, 2, String(quicker));
  const [native, tokens] = quicker!;
  assert.deepEqual([native, tokens], ["deno task native:install", "--calibration-tokens 4096"]);
  const fast = compressForecast(DESCRIPTION, { ...PLAN, backend: "native" }, WAY);
  assert.ok(sum(fast.phases) < 0.7 * sum(phases));
  const { calibration: _, ...free } = PLAN;
  const bare = { ...free, measuredTokens: 0, checkedTokens: 0, states: 8 };
  assert.deepEqual(compressForecast(DESCRIPTION, bare, WAY).quicker, []);
});
