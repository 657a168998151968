import assert from "node:assert";
import { parseField } from "./story_form.ts";

const temperature = { name: "Temperature", from: 0, to: 100, whole: false };
const seed = { name: "Seed", from: 0, to: 2 ** 32 - 1, whole: true };

Deno.test("any temperature is taken, with a point or a comma", () => {
  for (
    const [text, value] of [["0", 0], ["0.85", 0.85], ["0,85", 0.85], [" 7 ", 7], [
      "1e-3",
      1e-3,
    ]] as const
  ) {
    assert.equal(parseField(text, temperature), value);
  }
});

Deno.test("what is no number, or too large or small a one, is refused by its field's name", () => {
  for (const text of ["", " ", "warm", "-1", "NaN", "Infinity", "101", "0.8.1"]) {
    assert.equal(parseField(text, temperature), "Temperature: give a number from 0 to 100");
  }
  for (const text of ["1.5", "-1", "4294967296", "one"]) {
    assert.equal(parseField(text, seed), "Seed: give a whole number from 0 to 4294967295");
  }
});
