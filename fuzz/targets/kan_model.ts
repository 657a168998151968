import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { createFourier, createGaussians } from "../../kan/bases/global_bases.ts";
import {
  createKanModel,
  createRandom,
  decodeKan,
  encodeKan,
  evaluateKan,
  samplesFrom,
} from "../../kan/mod.ts";
import { fixSymbolic } from "../../kan/symbolic/suggest.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import { rawSafetensors } from "../raw_safetensors.ts";
import type { FuzzTarget } from "../target.ts";

const inputs = samplesFrom([[0.1, -0.4], [0.7, 0.2]]);

/** Files of networks with B-splines and a symbolic edge, with products, and with another basis. */
const sound = [
  fixSymbolic(
    createKanModel({ widths: [2, 2, 1], random: createRandom(1) }),
    inputs,
    { layer: 0, input: 1, output: 0 },
    { name: "sin", inputScale: 1, inputShift: 0, outputScale: 2, outputShift: 1 },
  ),
  createKanModel({ widths: [2, { sums: 1, products: [2] }, 1], random: createRandom(2) }),
  createKanModel({ widths: [2, 1], basis: createFourier(2), random: createRandom(3) }),
  createKanModel({ widths: [2, 1], basis: createGaussians(), random: createRandom(4) }),
].map((model) => {
  const bytes = encodeKan(model);
  const start = 8 + new DataView(bytes.buffer).getUint32(0, true);
  const header: { [key: string]: Json } & { __metadata__: { kan: string } } = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, start)),
  );
  return { bytes, header, data: bytes.subarray(start) };
});

/** Mutations of files of Kolmogorov-Arnold networks. */
export const target: FuzzTarget = {
  name: "kan_model",
  description: "Files of KANs with changed layers, shapes and numbers: decoded and evaluated.",
  mutate(random) {
    const { bytes, header, data } = sound[random.integer(sound.length)]!;
    const kind = random.integer(4);
    if (kind === 0) return mutateBytes(random, bytes);
    if (kind === 1) return rawSafetensors(JSON.stringify(mutateJson(random, header)), data);
    const changed = JSON.stringify(mutateJson(random, JSON.parse(header.__metadata__.kan)));
    const values = kind === 2 ? data : mutateBytes(random, data);
    return rawSafetensors(JSON.stringify({ ...header, __metadata__: { kan: changed } }), values);
  },
  read(input) {
    try {
      const model = decodeKan(input);
      if (model.layers[0]!.inputDim !== inputs.columns) return Promise.resolve();
      const outputs = evaluateKan(model, inputs);
      assert.equal(outputs.rows, inputs.rows);
    } catch (error) {
      // The library of networks knows nothing of files' names: it throws RangeErrors.
      if (error instanceof RangeError) throw new InputError(error.message);
      throw error;
    }
    return Promise.resolve();
  },
};
