import assert from "node:assert";
import { readRotary } from "./rotary_config.ts";

const llama3 = {
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 32,
};

Deno.test("configs of transformers 5 and of older versions mean the same", () => {
  const older = { rope_theta: 5e5, rope_scaling: { ...llama3, rope_type: "llama3" } };
  const newer = { rope_parameters: { ...llama3, rope_type: "llama3", rope_theta: 5e5 } };
  assert.deepEqual(readRotary(older, 16), readRotary(newer, 16));
  assert.deepEqual(readRotary(newer, 16), {
    dimensions: 16,
    theta: 5e5,
    scaling: {
      kind: "llama3",
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContextLength: 32,
    },
  });
  const neox = { rotary_emb_base: 100, rotary_pct: 0.5 };
  assert.deepEqual(readRotary(neox, 16), { dimensions: 8, theta: 100 });
  const { scaling } = readRotary({ rope_scaling: { type: "linear", factor: 2 } }, 16);
  assert.deepEqual(scaling, { kind: "linear", factor: 2 });
});

Deno.test("defaults apply where the config says nothing", () => {
  assert.deepEqual(readRotary({ rope_scaling: null }, 8), { dimensions: 8, theta: 10_000 });
});

Deno.test("unsupported scalings and odd head sizes are refused", () => {
  assert.throws(() => readRotary({ rope_scaling: { rope_type: "yarn" } }, 8), /one of default/);
  assert.throws(() => readRotary({ rope_scaling: { type: "linear" } }, 8), /factor is missing/);
  assert.throws(() => readRotary({}, 7), /7 rotated features.*even/);
});
