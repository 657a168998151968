import assert from "node:assert";
import fc from "fast-check";
import { roundToFloat16Slowly } from "./round_to_float16.ts";

Deno.test("numbers are rounded to 16 bits as by Math.f16round", () => {
  const half = fc.integer({ min: 0, max: 0xffff }).map((bits) =>
    new Float16Array(Uint16Array.of(bits).buffer)[0]!
  );
  const near = fc.tuple(half, half, fc.double({ min: -1e-9, max: 1e-9 })).map(([a, b, shift]) =>
    (a + b) / 2 * (1 + shift)
  );
  const numbers = fc.oneof(fc.double(), fc.float(), half, near, fc.double({ min: -7e4, max: 7e4 }));
  fc.assert(
    fc.property(
      numbers,
      (x) => assert(Object.is(roundToFloat16Slowly(x), Math.f16round(x)), `${x}`),
    ),
    { numRuns: 5000 },
  );
  for (const x of [65504, 65519.999, 65520, -65520, 2 ** -25, 2 ** -24, -(2 ** -25) * 1.001, NaN]) {
    assert(Object.is(roundToFloat16Slowly(x), Math.f16round(x)), `${x}`);
  }
});
