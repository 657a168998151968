import assert from "node:assert";
import { pointKey, sweepPoints } from "./sweep_points.ts";

const keys = (names: string[], rates: number[]) => sweepPoints(names, rates).map(pointKey);

Deno.test("presets come at every rate, families at whole ones, single baselines once", () => {
  assert.deepEqual(keys(["rate", "nf4"], [2.5, 3]), ["rate at 2.5 bits", "rate at 3 bits", "nf4"]);
  assert.deepEqual(keys(["gptq"], [2.5, 3]), ["gptq-3-g128", "gptq-3-g64", "gptq-3-g32"]);
  assert.deepEqual(keys(["gguf"], [4]), ["q4_0", "q4_k"]);
  assert.deepEqual(keys(["rtn", "rtn-asym-8-g128"], [8]), ["rtn-asym-8-g128"]);
});

Deno.test("names without points are refused", () => {
  const rejects = (names: string[], rates: number[], message: RegExp) =>
    assert.throws(
      () => sweepPoints(names, rates),
      (error) =>
        error instanceof Error && error.name === "UsageError" && message.test(error.message),
    );
  rejects(["best"], [3], /--presets best: is not one of rate, seed, hybrid, rtn, .*baseline .*nf4/);
  rejects(["toString"], [3], /--presets toString: is not one of/);
  rejects(["gptq"], [2.5, 3.5], /--presets gptq: has nothing at 2.5, 3.5 bits/);
});
