import assert from "node:assert";
import { ggufMixture, LLAMA_CPP_FILES } from "./gguf_mixtures.ts";

/** prose-4m: four layers of width 256, 4,096 tied tokens; positions and vectors in f32. */
const LAYERS = 4;
const MATRICES: [string, number, number][] = [
  ["transformer.wte.weight", 4096, 256],
  ["transformer.wpe.weight", 256, 256],
  ...Array.from({ length: LAYERS }, (_, layer) =>
    ([
      ["attn.c_attn.weight", 768, 256],
      ["attn.c_proj.weight", 256, 256],
      ["mlp.c_fc.weight", 1024, 256],
      ["mlp.c_proj.weight", 256, 1024],
    ] as const).map(([name, rows, columns]): [string, number, number] => {
      return [`transformer.h.${layer}.${name}`, rows, columns];
    })).flat(),
];
const VECTORS = 4 * LAYERS * (768 + 256 + 1024 + 256 + 4 * 256) + 4 * 2 * 256;

Deno.test("mixtures take the bytes that llama.cpp's files do", () => {
  for (const [name, { bytes }] of LLAMA_CPP_FILES) {
    const mixture = ggufMixture(name, LAYERS)!;
    const coded = MATRICES.reduce((sum, [tensor, rows, columns]) => {
      // All rows take the same bytes.
      const part = { name: tensor, rows: rows / 64, columns };
      const data = new Float32Array(part.rows * columns);
      return sum + 64 * mixture({ ...part, data }).bytes;
    }, 0);
    assert.equal(coded + VECTORS, bytes, name);
  }
  assert.equal(ggufMixture("Q1", LAYERS), undefined);
});
