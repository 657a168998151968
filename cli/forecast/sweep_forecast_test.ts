import assert from "node:assert";
import { describeModel } from "../../eval/architectures/registry.ts";
import { sweepForecast } from "./sweep_forecast.ts";

const DESCRIPTION = describeModel({
  model_type: "gpt2",
  vocab_size: 4096,
  n_positions: 256,
  n_embd: 256,
  n_layer: 4,
  n_head: 4,
}, []);

Deno.test("forecast: a sweep measures the original, calibrates once, and does each point", () => {
  const plan = {
    backend: "wasm",
    threads: 2,
    measuredTokens: 4096,
    points: [{ isPreset: true }, { isPreset: false }],
  } as const;
  const { phases } = sweepForecast(DESCRIPTION, { ...plan, calibratedTokens: 8192 });
  const pair = ["compress", "evaluate"];
  assert.deepEqual(phases.map(({ name }) => name), [
    "evaluate the original",
    "calibrate",
    ...pair,
    ...pair,
  ]);
  assert.ok(phases[4]!.seconds < phases[2]!.seconds, "a baseline is quicker");
  const kept = sweepForecast(DESCRIPTION, { ...plan, calibratedTokens: 0 });
  assert.deepEqual(kept.phases.map(({ name }) => name), [
    "evaluate the original",
    ...pair,
    ...pair,
  ]);
});
