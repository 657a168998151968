import assert from "node:assert";
import fc from "fast-check";
import { packedIndex, packUpper } from "./packed_upper.ts";

Deno.test("packUpper() keeps the diagonal and every ratio above it", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9 }), (size) => {
    const factor = Float64Array.from(
      { length: size * size },
      (_, at) => at % size >= Math.floor(at / size) ? 1 + at : 0,
    );
    const { rowWeights, feedback } = packUpper(factor, size);
    for (let k = 0; k < size; k++) {
      assert.equal(rowWeights[k], factor[k * size + k]);
      for (let i = k + 1; i < size; i++) {
        const ratio = factor[k * size + i]! / factor[i * size + i]!;
        assert.equal(feedback[packedIndex(size, k, i)], Math.fround(ratio));
      }
    }
  }));
});
