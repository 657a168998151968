import assert from "node:assert";
import fc from "fast-check";
import { createRandom } from "../../kan/numeric/random.ts";
import { putIntegers, takeIntegers } from "./integer_vector.ts";
import { RansDecoder, RansEncoder } from "./rans.ts";

Deno.test("takeIntegers() gives back what putIntegers() was given", () => {
  fc.assert(fc.property(
    fc.array(fc.array(fc.integer({ min: -32_000, max: 32_000 })), { maxLength: 4 }),
    (vectors) => {
      const encoder = new RansEncoder();
      for (const vector of vectors) putIntegers(encoder, Int32Array.from(vector));
      const decoder = new RansDecoder(encoder.finish());
      for (const vector of vectors) {
        assert.deepEqual([...takeIntegers(decoder, vector.length)], vector);
      }
      assert.ok(decoder.isAtEnd());
    },
  ));
});

Deno.test("putIntegers() costs little more than the entropy of a discretised normal", () => {
  const random = createRandom(1);
  const values = Int32Array.from({ length: 4096 }, () => Math.round(random.normal() * 3) + 200);
  const encoder = new RansEncoder();
  putIntegers(encoder, values);
  const bits = encoder.finish().length * 8 / values.length;
  const entropy = 0.5 * Math.log2(2 * Math.PI * Math.E * 9);
  assert.ok(bits > entropy - 0.1 && bits < entropy + 0.3, `${bits} against ${entropy}`);
});

Deno.test("putIntegers() profits from values that drift slowly", () => {
  const random = createRandom(2);
  const drifting = Int32Array.from(
    { length: 4096 },
    (_, i) => Math.round(100 * Math.sin(i / 200) + random.normal()),
  );
  const bytes = (values: Int32Array) => {
    const encoder = new RansEncoder();
    putIntegers(encoder, values);
    return encoder.finish().length;
  };
  const shuffled = drifting.map((_, i) => drifting[(i * 1999) % 4096]!);
  assert.ok(bytes(drifting) < 0.6 * bytes(shuffled));
});
