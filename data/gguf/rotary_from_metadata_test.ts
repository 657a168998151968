import assert from "node:assert";
import { ggufArchitectures } from "./architectures.ts";
import { type GgufValue, readMetadata } from "./metadata_value.ts";
import { fitLlama3, rotaryConfig, type RotaryTensors } from "./rotary_from_metadata.ts";
import { numberValue, textValue } from "./testdata/gguf_bytes.ts";

const llama = ggufArchitectures.find(({ name }) => name === "llama")!;
const neox = ggufArchitectures.find(({ name }) => name === "gptneox")!;

const shape: [string, GgufValue][] = [
  ["embedding_length", numberValue("UINT32", 64)],
  ["attention.head_count", numberValue("UINT32", 4)],
  ["rope.freq_base", numberValue("FLOAT32", 5e5)],
];

function configOf(
  entries: readonly (readonly [string, GgufValue])[],
  tensors: RotaryTensors = {},
  architecture = llama,
): Record<string, unknown> {
  const keys = [...shape, ...entries].map(([key, value]) =>
    [`${architecture.name}.${key}`, value] as const
  );
  return rotaryConfig(readMetadata("a.gguf", new Map(keys)), architecture, tensors);
}

/** The factors that Llama 3.1's scaling divides frequencies by, as transformers computes them. */
function llama3Factors(factor: number, high: number, context: number, size = 64): Float32Array {
  return Float32Array.from({ length: size / 2 }, (_, i) => {
    const turns = context * 5e5 ** (-2 * i / size) / (2 * Math.PI);
    const mix = Math.min(Math.max((turns - 1) / (high - 1), 0), 1);
    return 1 / ((1 - mix) / factor + mix);
  });
}

Deno.test("heads are rotated as the metadata say, with llama.cpp's defaults", () => {
  assert.deepEqual(configOf([]), { rope_theta: 5e5, head_dim: 16 });
  const own: [string, GgufValue][] = [
    ["attention.key_length", numberValue("UINT32", 32)],
    ["rope.dimension_count", numberValue("UINT32", 8)],
  ];
  assert.deepEqual(configOf(own), { rope_theta: 5e5, head_dim: 32, partial_rotary_factor: 0.25 });
  const partly: [string, GgufValue][] = [["rope.dimension_count", numberValue("UINT32", 4)]];
  assert.deepEqual(configOf(partly, {}, neox), { rotary_emb_base: 5e5, rotary_pct: 0.25 });
});

Deno.test("scaling has the words of transformers", () => {
  const scaling = (type: string, factor: number): [string, GgufValue][] => [
    ["rope.scaling.type", textValue(type)],
    ["rope.scaling.factor", numberValue("FLOAT32", factor)],
    ["rope.scaling.original_context_length", numberValue("UINT32", 4096)],
  ];
  assert.deepEqual(configOf(scaling("linear", 2))["rope_scaling"], {
    rope_type: "linear",
    factor: 2,
  });
  assert.equal(configOf(scaling("linear", 1))["rope_scaling"], undefined);
  assert.deepEqual(configOf(scaling("yarn", 4))["rope_scaling"], {
    rope_type: "yarn",
    factor: 4,
    original_max_position_embeddings: 4096,
  });
  const attention: [string, GgufValue][] = [
    ...scaling("longrope", 4),
    ["rope.scaling.attn_factor", numberValue("FLOAT32", 1.25)],
  ];
  const tensors = { shortFactors: Float32Array.of(1, 1.1), longFactors: Float32Array.of(2, 3) };
  assert.deepEqual(configOf(attention, tensors)["rope_scaling"], {
    rope_type: "longrope",
    short_factor: [1, 1.1],
    long_factor: [2, 3],
    original_max_position_embeddings: 4096,
    attention_factor: 1.25,
  });
});

Deno.test("the settings of Llama 3's scaling are found from its factors", () => {
  for (const [factor, high, context] of [[8, 4, 8192], [32, 4, 8192], [16, 8, 2048]] as const) {
    const factors = llama3Factors(factor, high, context);
    assert.deepEqual(fitLlama3(factors, { rotated: 64, theta: 5e5 }), {
      rope_type: "llama3",
      factor,
      low_freq_factor: 1,
      high_freq_factor: high,
      original_max_position_embeddings: context,
    });
  }
});

Deno.test("factors of no known kind are kept as they are", () => {
  const factors = Float32Array.of(1, 1.5, 1.2, 7, 3, 2, 4, 9);
  assert.deepEqual(configOf([], { factors })["rope_scaling"], {
    rope_type: "longrope",
    short_factor: [1, 1.5, 1.2, 7, 3, 2, 4, 9],
    long_factor: [1, 1.5, 1.2, 7, 3, 2, 4, 9],
    attention_factor: 1,
  });
});
