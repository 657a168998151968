import assert from "node:assert";
import fc from "fast-check";
import { parseJson } from "./parse_json.ts";

Deno.test("JSON is parsed as by JSON.parse", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      assert.deepEqual(parseJson(text), JSON.parse(text));
    }),
    { seed: 3 },
  );
  for (const text of ["", "[", "{]", "[1,]", '"\\x"']) {
    assert.throws(() => parseJson(text), SyntaxError);
  }
});

Deno.test("what nests too deeply is refused, brackets in strings are not nesting", () => {
  const nested = (depth: number, open: string, close: string) =>
    `${open.repeat(depth)}1${close.repeat(depth)}`;
  for (const [open, close] of [["[", "]"], ['{"a":', "}"]] as const) {
    parseJson(nested(500, open, close));
    for (const depth of [501, 1e6]) {
      assert.throws(() => parseJson(nested(depth, open, close)), {
        name: "SyntaxError",
        message: "it nests objects and lists more than 500 deep",
      });
    }
  }
  const brackets = `\\"${"[".repeat(1000)}\\\\`;
  const list = parseJson(`["${brackets}",${"[],".repeat(1000)}"${brackets}"]`);
  assert.ok(Array.isArray(list) && list.length === 1002);
});
