import { readFileSync } from "node:fs";
import { InputError } from "../../data/input_error.ts";
import { readEfficientKan, readPykan } from "../../kan/interchange/mod.ts";
import { evaluateKan } from "../../kan/mod.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import { rawSafetensors } from "../raw_safetensors.ts";
import type { FuzzTarget } from "../target.ts";

const sound = ["pykan", "efficient_kan"].map((name) => {
  const bytes = new Uint8Array(
    readFileSync(new URL(`../../kan/interchange/testdata/${name}.safetensors`, import.meta.url)),
  );
  const start = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const header: { [key: string]: Json } & { __metadata__?: { pykan: string } } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, start)),
  );
  return { bytes, header, data: bytes.subarray(start) };
});

/** Mutations of networks that other libraries wrote. */
export const target: FuzzTarget = {
  name: "kan_checkpoint",
  description: "Checkpoints of pykan and efficient-kan with changed tensors and settings.",
  mutate(random) {
    const { bytes, header, data } = sound[random.integer(sound.length)]!;
    const kind = random.integer(3);
    if (kind === 0) return mutateBytes(random, bytes);
    if (kind === 1 || header.__metadata__ === undefined) {
      return rawSafetensors(JSON.stringify(mutateJson(random, header)), data);
    }
    const pykan = JSON.stringify(mutateJson(random, JSON.parse(header.__metadata__.pykan)));
    return rawSafetensors(JSON.stringify({ ...header, __metadata__: { pykan } }), data);
  },
  read(input) {
    const errors: unknown[] = [];
    for (const read of [(bytes: Uint8Array) => readPykan(bytes).model, readEfficientKan]) {
      try {
        const model = read(input), { inputDim } = model.layers[0]!;
        const point = new Float64Array(inputDim).fill(0.1);
        evaluateKan(model, { rows: 1, columns: inputDim, data: point });
      } catch (error) {
        // The library of networks knows nothing of files' names: it throws RangeErrors.
        if (!(error instanceof RangeError)) throw error;
        errors.push(error);
      }
    }
    if (errors.length === 2) throw new InputError((errors[0] as Error).message);
    return Promise.resolve();
  },
};
