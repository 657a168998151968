import assert from "node:assert";
import type { ModelConfig } from "./config.ts";
import { readRotary } from "./rotary_config.ts";

const neoxKeys = {
  theta: "rotary_emb_base",
  share: { key: "rotary_pct", fallback: 0.25 },
} as const;

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
  const neox = { rotary_emb_base: 100, rotary_pct: 0.5, rope_theta: 7, partial_rotary_factor: 1 };
  assert.deepEqual(readRotary(neox, 16, neoxKeys), { dimensions: 8, theta: 100 });
  const inside = { rope_theta: 50, partial_rotary_factor: 1 };
  assert.deepEqual(readRotary({ ...neox, rope_parameters: inside }, 16, neoxKeys), {
    dimensions: 16,
    theta: 50,
  });
  assert.deepEqual(readRotary({ rotary_emb_base: 100 }, 16), { dimensions: 16, theta: 10_000 });
  const { scaling } = readRotary({ rope_scaling: { type: "linear", factor: 2 } }, 16);
  assert.deepEqual(scaling, { kind: "linear", factor: 2 });
});

Deno.test("defaults apply where the config says nothing", () => {
  assert.deepEqual(readRotary({ rope_scaling: null }, 8), { dimensions: 8, theta: 10_000 });
});

Deno.test("of two settings, those of transformers 5 are taken", () => {
  const both = {
    rope_parameters: { rope_theta: 500 },
    rope_scaling: { type: "linear", factor: 2 },
  };
  assert.deepEqual(readRotary({ ...both, rope_theta: 100 }, 8), {
    dimensions: 8,
    theta: 100,
    scaling: { kind: "linear", factor: 2 },
  });
  assert.deepEqual(readRotary({ ...both, rope_scaling: {}, rope_theta: 100 }, 8), {
    dimensions: 8,
    theta: 500,
  });
  const types = { rope_scaling: { type: "linear", rope_type: "default", factor: 2 } };
  assert.deepEqual(readRotary(types, 8), { dimensions: 8, theta: 10_000 });
  const original = { original_max_position_embeddings: 16 };
  const yarn = { rope_scaling: { rope_type: "yarn", factor: 4, ...original } };
  const { scaling } = readRotary({ ...yarn, original_max_position_embeddings: 24 }, 8);
  assert.equal(scaling?.kind === "yarn" && scaling.originalContextLength, 24);
  assert.throws(
    () => readRotary(both, 8),
    /rope_scaling takes the place of rope_parameters, whose rope_theta 500 would be lost; move/,
  );
});

Deno.test("unsupported scalings and odd head sizes are refused", () => {
  const rejects = (config: ModelConfig, message: RegExp) =>
    assert.throws(() => readRotary(config, 8), message);
  rejects({ rope_scaling: { rope_type: "mrope" } }, /one of default, .*, longrope/);
  rejects({ rope_scaling: { type: "linear" } }, /factor is missing/);
  rejects({ rope_scaling: { rope_type: "yarn" }, max_position_embeddings: 8 }, /factor is missing/);
  rejects(
    { rope_scaling: { rope_type: "longrope", short_factor: [1, 1, 1] } },
    /short_factor must be a list of 4 positive numbers, found a list of 3/,
  );
  rejects(
    { rope_parameters: { full_attention: { rope_theta: 5 } } },
    /rope_parameters.full_attention is an object, .* for each type of layer/,
  );
  rejects({ partial_rotary_factor: 0.5 }, /partial_rotary_factor 0.5 is not supported/);
  assert.throws(() => readRotary({}, 7), /7 rotated features.*even/);
});
