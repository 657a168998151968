import assert from "node:assert";
import { dequantize, isReadable, readableQuantizations } from "./dequantize.ts";
import blocks from "./testdata/blocks.json" with { type: "json" };
import { ggmlType, ggmlTypes } from "./types.ts";

const recorded: Record<string, { bytes: string; values: string }> = blocks;

Deno.test("every type that is read was recorded", () => {
  assert.deepEqual(Object.keys(recorded).sort(), readableQuantizations.toSorted());
});

for (const [name, { bytes, values }] of Object.entries(recorded)) {
  Deno.test(`${name}: values are those of PyPI's gguf, bit for bit`, () => {
    const expected = new Uint32Array(Uint8Array.fromBase64(values).buffer);
    const found = dequantize(ggmlType(name), Uint8Array.fromBase64(bytes));
    assert.deepEqual(new Uint32Array(found.buffer), expected);
  });
}

Deno.test("plain types are read as safetensors' are", () => {
  const patterns = Uint16Array.of(0x3f80, 0xc000);
  const found = dequantize(ggmlType("BF16"), new Uint8Array(patterns.buffer));
  assert.deepEqual(found, Float32Array.of(1, -2));
});

Deno.test("a type that is not read is named, with those that are", () => {
  const others = [...ggmlTypes.values()].filter((type) => !isReadable(type));
  assert.ok(others.length > 10);
  for (const type of others) {
    assert.throws(() => dequantize(type, new Uint8Array(type.blockBytes), 'a.gguf: tensor "w"'), {
      name: "InputError",
      message: new RegExp(`^a.gguf: tensor "w": is of ggml's type ${type.name}, .*Q4_0.*IQ4_XS$`),
    });
  }
});
