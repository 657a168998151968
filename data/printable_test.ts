import assert from "node:assert";
import { printableLine, printableText } from "./printable.ts";
import { quote, quoteValue } from "./quote.ts";

/** A character of each kind that must not reach a terminal. */
const HOSTILE: readonly string[] = [
  ..."\0\x07\b\x1b\x7f\x80\x9b\x9d", // controls, DEL, and C1, with which sequences begin as well
  ..."\u202a\u202e\u2066\u2069\u200e\u061c", // bidirectional
  ..."\u2028\u2029", // ends of lines
  ..."\u00ad\u200b\u2060\ufeff\u034f\u3164\u115f\u180e", // invisible
  "\u{e0001}", // invisible, beyond 16 bits
  "\u{e0100}",
  "\ud800", // half a character
];

Deno.test("what a terminal would act upon is escaped, on a line and in a text", () => {
  for (const letter of HOSTILE) {
    for (const print of [printableLine, printableText, quote, quoteValue]) {
      const printed = print(`a${letter}b`);
      assert.match(printed, /^"?a(\\u[0-9a-f]{4}){1,2}b"?$/, printed);
      assert.equal(print(printableLine(`a${letter}b`)).includes(letter), false);
    }
  }
});

Deno.test("a line has no line breaks; a text keeps them and what scripts are written with", () => {
  assert.equal(printableLine("a\r\nb\tc"), "a\\r\\nb\\tc");
  assert.equal(printableText("a\r\nb\n\tc\rd"), "a\nb\n\tc\\rd");
  const family = "👨\u200d👩\u200d👧 ❤\ufe0f نمی\u200cشود 日本 é";
  assert.equal(printableText(family), family);
  assert.equal(printableLine("日本 é 🙂"), "日本 é 🙂");
});

Deno.test("a JSON text stands for the same value afterwards, and nothing is escaped twice", () => {
  const value = { "\\\x7f": HOSTILE.join(), b: 'a"\\\\\n\x9b' };
  const printed = printableText(JSON.stringify(value));
  assert.deepEqual(JSON.parse(printed), value);
  assert.equal(printableText(printed), printed);
  for (const letter of HOSTILE) assert.ok(!printed.includes(letter));
});

Deno.test("what is long is cut to what was asked for, no character and no escape torn", () => {
  assert.equal(printableLine("abcdef", 6), "abcdef");
  assert.equal(printableLine("abcdefg", 6), "abcde…");
  assert.equal(printableLine("🙂".repeat(9), 3), "🙂🙂…");
  assert.equal(printableLine("\x1b".repeat(9), 13), "\\u001b\\u001b…");
  assert.equal(quote("x".repeat(500)).length, 120);
  for (const value of ["\x1b".repeat(1e6), [..."abc".repeat(500)], { a: "é".repeat(500) }]) {
    const printed = quoteValue(value);
    assert.ok(printed.length <= 80 && printed.length > 70, printed);
  }
});

Deno.test("values are quoted as JSON", () => {
  assert.equal(quoteValue('say "\\"'), '"say \\"\\\\\\""');
  assert.equal(quoteValue([1, null, { a: true }]), '[1,null,{"a":true}]');
  assert.equal(quoteValue(undefined), "undefined");
});
