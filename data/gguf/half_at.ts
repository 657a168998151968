import { decodeTable, float16 } from "../small_float.ts";

let values: Float32Array | undefined;

/** The float16 at byte `at`, little endian; Node 22 lacks `getFloat16` of a DataView. */
export function halfAt(view: DataView, at: number): number {
  values ??= new Float32Array(decodeTable(float16).buffer);
  return values[view.getUint16(at, true)]!;
}
