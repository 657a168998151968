import assert from "node:assert";
import fc from "fast-check";
import { packedIndex, packUpper } from "./packed_upper.ts";
import { triangleSize, triangleStart } from "../matrix/triangle.ts";

Deno.test("packUpper() keeps the diagonal and every ratio above it", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), (size) => {
    const factor = Float64Array.from({ length: triangleSize(size) }, (_, at) => 1 + at);
    const element = (k: number, i: number) => factor[triangleStart(i) + k]!;
    const { rowWeights, feedback } = packUpper(factor, size);
    for (let k = 0; k < size; k++) {
      assert.equal(rowWeights[k], element(k, k));
      for (let i = k + 1; i < size; i++) {
        const ratio = element(k, i) / element(i, i);
        assert.equal(feedback[packedIndex(size, k, i)], Math.fround(ratio));
      }
    }
  }));
});
