import assert from "node:assert";
import { createRandom } from "../../../kan/numeric/random.ts";
import { blahutArimoto } from "./blahut_arimoto.ts";
import { gaussianBound, scaledBound } from "./bound.ts";
import { empiricalSource, laplacian } from "./sources.ts";

const random = createRandom(1);
const normal = empiricalSource(Float32Array.from({ length: 1 << 19 }, () => random.normal()));

Deno.test("Blahut's algorithm finds the Gaussian's rate-distortion function", () => {
  for (const slope of [1, 8, 128]) {
    const { bits, distortion } = blahutArimoto(normal, slope);
    assert.ok(Math.abs(distortion * 2 * slope - 1) < 0.01);
    assert.ok(Math.abs(bits - gaussianBound().bitsAt(distortion)) < 0.01);
  }
});

Deno.test("a Laplacian's function is Shannon's lower bound at high rates and above it at low", () => {
  const shannon = (distortion: number) =>
    Math.log2(2 * Math.E * Math.SQRT1_2) - 0.5 * Math.log2(2 * Math.PI * Math.E * distortion);
  const high = blahutArimoto(laplacian, 128), low = blahutArimoto(laplacian, 0.6);
  assert.ok(Math.abs(high.bits - shannon(high.distortion)) < 0.002);
  assert.ok(low.bits > shannon(low.distortion) + 0.03);
});

Deno.test("parts of different scale share the distortion by reverse water-filling", () => {
  const parts = [{ scale: 4, share: 0.5 }, { scale: 0.25, share: 0.5 }];
  const bound = scaledBound(normal, parts);
  // At D = 1/4 the small part is left out: its variance is below the water, which stands at 7/16.
  const water = 2 * 0.25 - 0.25 ** 2;
  assert.ok(Math.abs(bound.bitsAt(0.25) - 0.25 * Math.log2(16 / water)) < 0.02);
  const fine = 4 ** -4;
  assert.ok(Math.abs(bound.bitsAt(fine) - 4) < 0.02);
  assert.ok(Math.abs(bound.distortionAt(4) / fine - 1) < 0.03);
});
