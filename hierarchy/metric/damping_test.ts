import assert from "node:assert";
import fc from "fast-check";
import type { StateDict } from "../../data/tensor.ts";
import { planDamping } from "./damping.ts";
import type { TensorMetric } from "./tensor_metric.ts";

function identity(size: number, scale: number): Float64Array {
  return Float64Array.from({ length: size ** 2 }, (_, at) => at % (size + 1) === 0 ? scale : 0);
}

function weightsOf(scales: Record<string, number>): StateDict {
  return new Map(
    Object.entries(scales).map(([name, scale]) => [
      name,
      { dtype: "F32" as const, shape: [4, 4], data: new Float32Array(16).fill(scale) },
    ]),
  );
}

function metric(energy: number, joined: boolean): TensorMetric {
  return {
    inputAxis: 1,
    hessian: identity(4, energy),
    fisher: new Float64Array(4).fill(2),
    ...(joined && { outputMoments: [{ start: 0, moment: identity(4, 2) }] }),
  };
}

Deno.test("one matrix of equal values is damped by the noise of its rate, 4^-bits of its signal", () => {
  fc.assert(fc.property(fc.double({ min: 1, max: 3, noNaN: true }), (bits) => {
    const weights = weightsOf({ w: 0.7 });
    const [one, two] = [false, true].map((joined) =>
      planDamping(weights, new Map([["w", metric(5, joined)]]), bits).get("w")!
    );
    assert.ok(Math.abs(one!.inputs / (0.3 * 4 ** -bits) - 1) < 1e-6);
    const expected = Math.sqrt(0.1 * 4 ** -bits);
    assert.ok(Math.abs(two!.inputs / expected - 1) < 1e-6);
    assert.ok(Math.abs(two!.outputs / expected - 1) < 1e-6);
  }));
});

Deno.test("the unit of weights does not matter, their share of the loss does", () => {
  const metrics = new Map([["a", metric(1, true)], ["b", metric(16, true)]]);
  const plain = planDamping(weightsOf({ a: 1, b: 1 }), metrics, 3);
  const scaled = planDamping(weightsOf({ a: 8, b: 8 }), metrics, 3);
  for (const name of ["a", "b"]) {
    assert.ok(Math.abs(plain.get(name)!.inputs - scaled.get(name)!.inputs) < 1e-9);
  }
  assert.ok(Math.abs(plain.get("a")!.inputs / plain.get("b")!.inputs - 4) < 1e-6);
});

Deno.test("matrices that see the same inputs share their damping; zeros and strangers do no harm", () => {
  const metrics = new Map([
    ["a", { ...metric(1, true), sharedWith: ["b"] }],
    ["b", { ...metric(1, true), sharedWith: ["a"] }],
    ["zero", metric(0, true)],
    ["absent", metric(1, true)],
  ]);
  const plan = planDamping(weightsOf({ a: 1, b: 9, zero: 0 }), metrics, 2);
  assert.deepEqual(plan.get("a"), plan.get("b"));
  assert.ok(plan.get("zero")!.inputs > 0 && plan.get("zero")!.inputs < 1);
  assert.equal(plan.has("absent"), false);
});
