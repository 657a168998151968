import assert from "node:assert";
import fc from "fast-check";
import { expandHalf, holdAsStored, readHalf } from "./half_values.ts";
import { toFloat32 } from "./to_float32.ts";

Deno.test("what a checkpoint stores in 16 bits is held in 16 bits, to the last pattern", () => {
  fc.assert(fc.property(
    fc.constantFrom("F16" as const, "BF16" as const),
    fc.uint8Array({ minLength: 2, maxLength: 400 }),
    (dtype, bytes) => {
      const data = toFloat32(dtype, bytes.slice(0, bytes.length & ~1));
      const held = holdAsStored({ dtype, shape: [data.length], data });
      assert.equal(held.half!.patterns.length, data.length);
      const words = (values: Float32Array) => new Uint32Array(values.buffer);
      assert.deepEqual(words(held.data), words(data));
      const part = new Float32Array(data.length - 1);
      readHalf(held.half!, 1, part);
      assert.deepEqual(words(part), words(data.slice(1)));
    },
  ));
});

Deno.test("values that 16 bits would change, and other element types, stay as they are", () => {
  const data = Float32Array.of(1, 1 + 2 ** -20);
  for (const dtype of ["F16", "BF16", "F32"] as const) {
    const tensor = { dtype, shape: [2], data };
    assert.equal(holdAsStored(tensor), tensor);
  }
});

Deno.test("a copy of a held tensor has its values", () => {
  const held = holdAsStored({ dtype: "BF16", shape: [1], data: Float32Array.of(3) });
  assert.deepEqual({ ...held }.data, Float32Array.of(3));
  assert.deepEqual(expandHalf(held.half!), Float32Array.of(3));
});
