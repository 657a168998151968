import assert from "node:assert";
import fc from "fast-check";
import { ggufArchitectures } from "./architectures.ts";
import { ggufName, huggingFaceName } from "./tensor_names.ts";
import { toGgufValues, toHuggingFaceValues } from "./value_change.ts";

Deno.test("names: every row of every architecture leads there and back", () => {
  for (const architecture of ggufArchitectures) {
    const { tensors, prefix, head } = architecture;
    for (const part of ["weight", "bias"]) {
      for (const [gguf, huggingFace, change] of [...tensors, ["output", head] as const]) {
        const there = `${gguf.replace("{}", "12")}.${part}`;
        const here = `${gguf === "output" ? "" : prefix}${huggingFace.replace("{}", "12")}.${part}`;
        const expected = change === undefined ? {} : { change };
        assert.deepEqual(ggufName(architecture, here), { name: there, ...expected });
        assert.deepEqual(huggingFaceName(architecture, there), { name: here, ...expected });
        // Checkpoints of the body alone have no prefix.
        assert.equal(
          ggufName(architecture, here.slice(here.startsWith(prefix) ? prefix.length : 0))?.name,
          there,
        );
      }
    }
    for (const name of ["blk.x.attn_q.weight", "blk.00.attn_norm.weight", "attn_norm", ""]) {
      assert.equal(huggingFaceName(architecture, name), undefined);
      assert.equal(ggufName(architecture, name), undefined);
    }
  }
});

Deno.test("names: no two tensors of an architecture share one", () => {
  for (const { tensors } of ggufArchitectures) {
    assert.equal(new Set(tensors.map(([gguf]) => gguf)).size, tensors.length);
    assert.equal(new Set(tensors.map(([, name]) => name)).size, tensors.length);
  }
});

Deno.test("values: pairs are halves apart in Hugging Face's files", () => {
  // Two heads of six features, one column each: value = 10 * head + feature.
  const data = Float32Array.of(0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15);
  const counts = { heads: 2, keyValueHeads: 1 };
  const { data: pairs } = toGgufValues({ shape: [12, 1], data }, "queryPairs", counts);
  assert.deepEqual([...pairs], [0, 3, 1, 4, 2, 5, 10, 13, 11, 14, 12, 15]);
  const { data: keys } = toGgufValues({ shape: [12], data }, "keyPairs", counts);
  assert.deepEqual([...keys], [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15]);
});

Deno.test("values: roles of each head are sorted by role", () => {
  // Two heads: query, key and value of two features each.
  const data = Float32Array.from("0q,0Q,0k,0K,0v,0V".split(","), (_, i) => i);
  const both = Float32Array.of(...data, ...data.map((value) => value + 10));
  const counts = { heads: 2, keyValueHeads: 2 };
  const { data: sorted } = toGgufValues({ shape: [12, 1], data: both }, "rolesFirst", counts);
  assert.deepEqual([...sorted], [0, 1, 10, 11, 2, 3, 12, 13, 4, 5, 14, 15]);
});

Deno.test("values: what is changed can be changed back", () => {
  fc.assert(fc.property(
    fc.constantFrom("transposed", "queryPairs", "keyPairs", "rolesFirst", undefined),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 5 }),
    (change, heads, half, columns) => {
      const shape = [heads * half * 6, columns];
      const data = Float32Array.from({ length: shape[0]! * columns }, (_, i) => i);
      const counts = { heads, keyValueHeads: heads };
      const there = toGgufValues({ shape, data }, change, counts);
      assert.deepEqual(toHuggingFaceValues(there, change, counts), { shape, data });
    },
  ));
  const norm = { shape: [2], data: Float32Array.of(-0.5, 0.25) };
  const counts = { heads: 1, keyValueHeads: 1 };
  assert.deepEqual([...toGgufValues(norm, "plusOne", counts).data], [0.5, 1.25]);
  assert.deepEqual(
    toHuggingFaceValues(toGgufValues(norm, "plusOne", counts), "plusOne", counts),
    norm,
  );
});
