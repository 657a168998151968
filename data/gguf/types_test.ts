import assert from "node:assert";
import { ggmlByteLength, ggmlType, ggmlTypeById, ggmlTypes } from "./types.ts";

Deno.test("a type is found by its number and its name", () => {
  for (const [name, type] of ggmlTypes) {
    assert.equal(ggmlType(name), type);
    assert.equal(ggmlTypeById(type.id), type);
  }
  assert.equal(ggmlTypeById(4), undefined);
  assert.throws(() => ggmlType("Q9_K"), /Q9_K is no type of ggml/);
});

Deno.test("rows are whole blocks, and bytes that no number holds are none", () => {
  assert.equal(ggmlByteLength(ggmlType("Q4_K"), [3, 512]), 3 * 2 * 144);
  assert.equal(ggmlByteLength(ggmlType("Q4_K"), [3, 500]), undefined);
  assert.equal(ggmlByteLength(ggmlType("F32"), [2 ** 30, 2 ** 30]), undefined);
  assert.equal(ggmlByteLength(ggmlType("F64"), [2 ** 52]), undefined);
  assert.equal(ggmlByteLength(ggmlType("F16"), []), 2);
});
