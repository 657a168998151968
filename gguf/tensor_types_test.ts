import assert from "node:assert";
import { type GgufWeightType, ggufWeightTypes, tensorType } from "./tensor_types.ts";

/** The name of a tensor's type, and of the one that it is instead of. */
function chosen(name: string, columns: number, asked: GgufWeightType, isHead = false): string {
  const { type, insteadOf } = tensorType(name, [64, columns], asked, isHead);
  return insteadOf === undefined ? type.name : `${type.name} for ${insteadOf.name}`;
}

Deno.test("matrices are of the type that is asked for, where rows are whole blocks", () => {
  for (const asked of ggufWeightTypes) {
    assert.equal(chosen("blk.0.attn_q.weight", 512, asked), asked.toUpperCase());
  }
});

Deno.test("rows that are no whole blocks are stored as llama.cpp's quantizer stores them", () => {
  const name = "blk.3.ffn_down.weight";
  const cases: readonly (readonly [GgufWeightType, number, string])[] = [
    ["q4_k", 576, "Q5_0 for Q4_K"],
    ["q6_k", 576, "Q8_0 for Q6_K"],
    ["q4_k", 172, "F16 for Q4_K"],
    ["q6_k", 172, "F16 for Q6_K"],
    ["q8_0", 172, "F16 for Q8_0"],
    ["q4_0", 172, "F16 for Q4_0"],
    ["q4_0", 576, "Q4_0"],
    ["f16", 7, "F16"],
  ];
  for (const [asked, columns, expected] of cases) {
    assert.equal(chosen(name, columns, asked), expected);
  }
});

Deno.test("the head has more bits, as in llama.cpp's quantizer", () => {
  const cases: readonly (readonly [GgufWeightType, number, string])[] = [
    ["q4_k", 512, "Q6_K"],
    ["q4_0", 512, "Q6_K"],
    ["q8_0", 512, "Q8_0"],
    ["q6_k", 512, "Q6_K"],
    ["f16", 512, "F16"],
    // Rows of no whole blocks of what was asked for, then of what the head would have.
    ["q4_k", 576, "Q8_0"],
    ["q4_0", 576, "Q8_0 for Q6_K"],
  ];
  for (const [asked, columns, expected] of cases) {
    assert.equal(chosen("output.weight", columns, asked, true), expected);
    assert.equal(chosen("token_embd.weight", columns, asked, true), expected);
  }
});

Deno.test("norms, biases and positions are never quantized", () => {
  const f32 = (name: string, shape: readonly number[]) =>
    assert.equal(tensorType(name, shape, "q4_k", false).type.name, "F32");
  f32("blk.0.attn_norm.weight", [512]);
  f32("blk.0.attn_q.bias", [512]);
  f32("position_embd.weight", [1024, 512]);
  f32("blk.0.attn_q_norm.weight", [8, 64]);
});
