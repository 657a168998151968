import assert from "node:assert";
import fc from "fast-check";
import { scanJson } from "./json_scan.ts";

Deno.test("what JSON.parse keeps whole is not reported", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      const naturals = JSON.stringify(
        value,
        (_, item) => typeof item === "number" ? Math.abs(Math.trunc(item % 1e6)) : item,
        2,
      );
      assert.equal(scanJson(naturals), undefined, naturals);
    }),
    { seed: 4, numRuns: 100 },
  );
});

Deno.test("a duplicate key is found wherever it is, however it is written", () => {
  const cases: readonly [string, string, string[]][] = [
    ['{"a": 1, "a": 2}', "a", []],
    ['{"a": 1, "\\u0061": 2}', "a", []],
    ['{"x": {"__proto__": [], "__proto__": {}}}', "__proto__", ["x"]],
    ['[{"b": {"a": [{"k": "}", "k": 0}]}}]', "k", ["b", "a"]],
    ['{"\\"": "\\\\", "a": {"b": 1}, "c": {"b": 2, "\\"": 0}, "\\"": 3}', '"', []],
  ];
  for (const [text, key, path] of cases) {
    JSON.parse(text);
    assert.deepStrictEqual(scanJson(text), { kind: "duplicate", text: key, path }, text);
  }
});

Deno.test("equal keys of different objects, and equal strings in lists, are not duplicates", () => {
  assert.equal(
    scanJson('{"a": {"a": ["a", "a", {"a": 1}]}, "b": {"a": "b", "b": "a"}}'),
    undefined,
  );
});

Deno.test("numbers that are not plain naturals are found", () => {
  for (const number of ["1.0", "-1", "-0", "1e3", "1E+2", "0.5"]) {
    assert.deepStrictEqual(scanJson(`{"t": {"shape": [2, ${number}]}}`), {
      kind: "number",
      text: number,
      path: ["t", "shape"],
    });
  }
  assert.equal(scanJson('{"t": "-1.5", "-2": [0, 10, 99]}'), undefined);
});

Deno.test("halves of surrogate pairs are found", () => {
  assert.equal(scanJson('{"a": "\\ud83d"}')?.kind, "surrogate");
  assert.equal(scanJson('{"\\ude00": 1}')?.kind, "surrogate");
  assert.equal(scanJson('{"a": "\\ud83d\\ude00"}'), undefined);
});
