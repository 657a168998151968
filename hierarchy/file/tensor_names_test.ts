import assert from "node:assert";
import fc from "fast-check";
import { foldTensors, type StoredTensor, unfoldTensors } from "./tensor_names.ts";

const matrix = (name: string): StoredTensor => ({ name, dtype: "F32", shape: [2, 3] });

Deno.test("foldTensors() makes one row of the layers' tensors", () => {
  const names = ["wte", "h.0.w", "h.0.b", "h.1.w", "h.1.b"];
  const rows = foldTensors(names.map(matrix));
  assert.deepEqual(rows.map(({ name, count }) => [name, count]), [
    ["wte", undefined],
    ["h.#.w", 2],
    ["h.#.b", 2],
  ]);
});

Deno.test("unfoldTensors() goes layer by layer where rows are of as many layers", () => {
  const rows = [
    { ...matrix("wte") },
    { ...matrix("h.#.w"), count: 2 },
    { ...matrix("h.#.b"), count: 2 },
    { ...matrix("g.#.w"), count: 1 },
    { ...matrix("norm") },
    { ...matrix("k.#.w"), count: 2 },
  ];
  assert.deepEqual(unfoldTensors(rows).map(({ name }) => name), [
    "wte",
    ...["h.0.w", "h.0.b", "h.1.w", "h.1.b"],
    "g.0.w",
    "norm",
    ...["k.0.w", "k.1.w"],
  ]);
  assert.deepEqual(unfoldTensors(foldTensors(unfoldTensors(rows))), unfoldTensors(rows));
});

Deno.test("unfoldTensors() gives every tensor back, whatever its name", () => {
  const part = fc.constantFrom("a", "b#", "#", "0", "1", "2", "01", "w", "");
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
  const tensor = fc.record({
    name,
    dtype: fc.constantFrom("F32" as const, "F16" as const),
    shape: fc.constantFrom([2], [2, 3]),
  });
  fc.assert(
    fc.property(fc.uniqueArray(tensor, { selector: ({ name }) => name }), (tensors) => {
      const restored = unfoldTensors(JSON.parse(JSON.stringify(foldTensors(tensors))));
      const byName = (list: readonly StoredTensor[]) =>
        Object.fromEntries(list.map(({ name, dtype, shape }) => [name, { dtype, shape }]));
      assert.equal(restored.length, tensors.length);
      assert.deepEqual(byName(restored), byName(tensors));
    }),
  );
});
