import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs";
import { evaluate } from "mathjs";
import assert from "node:assert";
import {
  applySymbolic,
  evaluateSymbolic,
  symbolicFunction,
  symbolicFunctions,
} from "./symbolic_functions.ts";

const points = [-2.7, -1.1, -0.6, -0.2, 0.3, 0.45, 0.9, 1.4, 3.3];
const insideOf = ([start, end]: readonly [number, number]) =>
  points.filter((x) => x > start && x < end);

Deno.test("the library has at least 20 functions with names of their own", () => {
  assert.ok(symbolicFunctions.length >= 20);
  assert.equal(new Set(symbolicFunctions.map(({ name }) => name)).size, symbolicFunctions.length);
  assert.throws(() => symbolicFunction("sinus"), /no function "sinus"/);
});

for (const symbolic of symbolicFunctions) {
  Deno.test(`${symbolic.name}: slope, formula and tensors agree with its value`, async () => {
    const inside = insideOf(symbolic.domain);
    assert.ok(inside.length > 2);
    for (const x of inside) {
      const { value, slope } = evaluateSymbolic(symbolic, x);
      const step = 1e-6;
      const difference = (symbolic.value(x + step) - symbolic.value(x - step)) / (2 * step);
      assert.ok(Math.abs(slope - difference) < 1e-6 * (1 + Math.abs(slope)), `slope at ${x}`);
      const written = evaluate(symbolic.format("x"), { x });
      assert.ok(Math.abs(written - value) < 1e-12 * (1 + Math.abs(value)), `formula at ${x}`);
    }
    for (const backend of ["cpu", "wasm"]) {
      await tf.setBackend(backend);
      const x = tf.tensor1d(inside);
      const values = applySymbolic(symbolic, x).dataSync();
      const slopes = tf.grad((each) => applySymbolic(symbolic, each))(x).dataSync();
      inside.forEach((point, i) => {
        const { value, slope } = evaluateSymbolic(symbolic, point);
        assert.ok(
          Math.abs(values[i]! - value) < 2e-5 * (1 + Math.abs(value)),
          `${backend} ${point}`,
        );
        assert.ok(
          Math.abs(slopes[i]! - slope) < 5e-5 * (1 + Math.abs(slope)),
          `${backend} ${point}`,
        );
      });
    }
  });

  Deno.test(`${symbolic.name} is finite at poles and outside its domain`, async () => {
    await tf.setBackend("wasm");
    const hard = [0, -0, 1, -1, Math.PI / 2, 100, -100, 1e-30, -1e-30];
    for (const x of hard) {
      const { value, slope } = evaluateSymbolic(symbolic, x);
      assert.ok(Number.isFinite(value) && Number.isFinite(slope), `${x}`);
    }
    const x = tf.tensor1d(hard);
    assert.ok(applySymbolic(symbolic, x).dataSync().every(Number.isFinite));
    const slopes = tf.grad((each) => applySymbolic(symbolic, each))(x).dataSync();
    assert.ok(slopes.every(Number.isFinite), `${slopes}`);
  });
}
