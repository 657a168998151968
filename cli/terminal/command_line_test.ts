import assert from "node:assert";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { commandLine } from "./command_line.ts";

Deno.test("plain words stand as they are", () => {
  const words = ["deno task", "compress", "./my-model", "--bits", "3.5"];
  assert.equal(commandLine(words), "deno task compress ./my-model --bits 3.5");
});

Deno.test("a shell gives back the words", {
  ignore: Deno.build.os === "windows",
}, () => {
  const word = fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", ""));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const line = commandLine(["printf '%s\\0'", ...words, "end"]);
      const found = execFileSync("/bin/sh", ["-c", line]).toString().split("\0");
      assert.deepEqual(found, [...words, "end", ""]);
    }),
    { numRuns: 10 },
  );
});
