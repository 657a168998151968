import assert from "node:assert";
import { memorySource } from "../../data/memory_source.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { elementCount } from "../../data/tensor.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import { rawSafetensors } from "../raw_safetensors.ts";
import type { FuzzTarget } from "../target.ts";

const SIZES = { F64: 8, F32: 4, F16: 2, BF16: 2, F8_E4M3: 1, I64: 8, U8: 1, BOOL: 1 };

/** The header of a sound file, and how many bytes it announces. */
function soundHeader(random: Random): { header: { [key: string]: Json }; length: number } {
  const header: { [key: string]: Json } = {};
  if (random.integer(2) === 0) header.__metadata__ = { format: "pt", note: "é" };
  let length = 0;
  const dtypes = Object.entries(SIZES);
  for (let number = random.integer(4); number >= 0; number--) {
    const [dtype, size] = dtypes[random.integer(dtypes.length)]!;
    const shape = Array.from({ length: random.integer(4) }, () => random.integer(5));
    const start = length;
    length += elementCount(shape) * size;
    header[`h.${number}.weight`] = { dtype, shape, data_offsets: [start, length] };
  }
  return { header, length };
}

/** Mutations of safetensors files. */
export const target: FuzzTarget = {
  name: "safetensors",
  description: "Safetensors files with changed headers and lengths: opened, every tensor read.",
  mutate(random) {
    const { header, length } = soundHeader(random);
    const data = randomBytes(random, length);
    const kind = random.integer(8);
    if (kind === 0) return mutateBytes(random, rawSafetensors(JSON.stringify(header), data));
    if (kind === 1) {
      const text = mutateBytes(random, new TextEncoder().encode(JSON.stringify(header)));
      return rawSafetensors(new TextDecoder().decode(text), data);
    }
    const changed = JSON.stringify(mutateJson(random, header));
    return rawSafetensors(changed, random.integer(8) === 0 ? mutateBytes(random, data) : data);
  },
  async read(input) {
    const file = await openSafetensors(memorySource(input, "input.safetensors"));
    for (const { name, shape } of file.tensors) {
      const { data } = await file.read(name);
      assert.equal(data.length, elementCount(shape), name);
      if (shape.length > 0 && shape[0]! > 0) await file.readRows(name, Int32Array.of(0));
    }
  },
};
