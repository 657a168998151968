import assert from "node:assert";
import { assertFinite } from "./finite.ts";

Deno.test("finite values pass, however large", () => {
  assertFinite("w", Float32Array.of(3.4e38, -3.4e38, 1e-45, -0), "m.safetensors");
  assertFinite("w", new Float32Array(), "m.safetensors");
});

Deno.test("the first NaN or infinity is named", () => {
  for (const bad of [NaN, Infinity, -Infinity]) {
    assert.throws(() => assertFinite("w", Float32Array.of(1, 2, bad, NaN), "m.safetensors"), {
      name: "InputError",
      message: `m.safetensors: tensor "w" has the value ${bad} at element 2; ` +
        "its weights must be finite: get the file again or repair the tensor",
    });
  }
});
