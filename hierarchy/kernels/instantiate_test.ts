import assert from "node:assert";
import { instantiateKernel } from "./instantiate.ts";
import { VITERBI_WASM } from "./viterbi_wasm.ts";

Deno.test("instantiateKernel() gives memory of at least the size that was asked for", () => {
  const kernel = instantiateKernel<{ search: unknown }>([VITERBI_WASM], 100_000)!;
  assert.equal(typeof kernel.exports.search, "function");
  assert.equal(kernel.memory.buffer.byteLength, 2 << 16);
});

Deno.test("instantiateKernel() gives nothing where the platform refuses", () => {
  // A valid module up to the body of its only function, which has an instruction that is unknown:
  // what a platform without SIMD sees.
  const unknown = [
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    4,
    1,
    96,
    0,
    0,
    3,
    2,
    1,
    0,
    10,
    4,
    1,
    2,
    0,
    0xff,
  ];
  assert.equal(instantiateKernel([btoa(String.fromCharCode(...unknown))], 1), undefined);
  assert.equal(instantiateKernel([VITERBI_WASM], 2 ** 40), undefined);
});
