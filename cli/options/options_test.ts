import assert from "node:assert";
import { InvalidArgumentError } from "commander";
import fc from "fast-check";
import {
  fileSize,
  hiddenDimensions,
  integerBetween,
  nonEmpty,
  numberBetween,
  onnxTypeList,
  percentageBetween,
  someText,
} from "./options.ts";

Deno.test("fileSize() reads decimal and binary units, and nothing else", () => {
  const sizes = ["60MB", "1.5 MiB", "2000000", ".5kb", "3gib"].map(fileSize);
  assert.deepEqual(sizes, [60e6, 1.5 * 2 ** 20, 2_000_000, 500, 3 * 2 ** 30]);
  for (const text of ["", "MB", "-1MB", "1TBX", "1e3MB", "0"]) assert.throws(() => fileSize(text));
});

Deno.test("numberBetween takes every decimal in the range and nothing else", () => {
  const parse = numberBetween(0.5, 16);
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 16, noNaN: true }), (value) => {
      assert.equal(parse(String(value)), value);
    }),
  );
  for (
    const text of ["", " ", "abc", "0x8", "0.4", "16.1", "-4", "1e400", "NaN", "Infinity", "4,5"]
  ) {
    assert.throws(() => parse(text), InvalidArgumentError, text);
  }
});

Deno.test("percentageBetween takes what has its sign, and gives shares", () => {
  const parse = percentageBetween(0.1, 20);
  assert.deepEqual(["5%", " 2.5 %", "20%", "0.1%"].map(parse), [0.05, 0.025, 0.2, 0.001]);
  for (const text of ["", "%", "5", "0.05", "21%", "0.05%", "-1%", "5%%", "1e1000%", "five%"]) {
    assert.throws(() => parse(text), InvalidArgumentError, text);
  }
});

Deno.test("integerBetween takes whole numbers only", () => {
  const parse = integerBetween(1, 64);
  assert.equal(parse("2"), 2);
  for (const text of ["0", "65", "1.5", "1e1", "two", "", "-1"]) {
    assert.throws(() => parse(text), InvalidArgumentError, text);
  }
});

Deno.test("hiddenDimensions parses lists of widths", () => {
  assert.deepEqual(hiddenDimensions("512,256,128"), [512, 256, 128]);
  assert.deepEqual(hiddenDimensions(" 8 , 4 "), [8, 4]);
  for (const text of ["", "512,", "a", "0", "3.5", "512;256", "-1"]) {
    assert.throws(() => hiddenDimensions(text), InvalidArgumentError, text);
  }
});

Deno.test("a text may be a line break alone", () => {
  assert.equal(someText("\n"), "\n");
  assert.throws(() => someText(""), InvalidArgumentError);
});

Deno.test("nonEmpty rejects blanks", () => {
  assert.equal(nonEmpty("x"), "x");
  assert.throws(() => nonEmpty("  "), InvalidArgumentError);
});

Deno.test("onnxTypeList reads known types, each once, and tells where others belong", () => {
  assert.deepEqual(onnxTypeList("f32"), ["f32"]);
  assert.deepEqual(onnxTypeList("q8,f16"), ["f16", "q8"]);
  for (const text of ["", "q8,", "q8,q8", "fp16", "compressed/model"]) {
    assert.throws(() => onnxTypeList(text), /some of f32, f16, q8, int8.*--onnx after the file/);
  }
});
