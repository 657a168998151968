import { encodeSmallFloats, float16 } from "../data/small_float.ts";

const value = new Float32Array(1);
const word = new Uint32Array(value.buffer);
const bits = new Uint16Array(1);

/** Stores a float16 at byte `at`, little endian; Node 22 lacks `setFloat16` of a DataView. */
export function putHalf(view: DataView, at: number, half: number): void {
  value[0] = half;
  encodeSmallFloats(float16, word, bits);
  view.setUint16(at, bits[0]!, true);
}
