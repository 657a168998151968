import assert from "node:assert";
import { openModel } from "./mod.ts";
import { CALIBRATION_KINDS, readCalibrationTexts } from "./calibration_texts.ts";
import { readEmbeddedText } from "./embedded_model.ts";

Deno.test("every kind of calibration text is there and long enough for a few chunks", async () => {
  const texts = await readCalibrationTexts();
  assert.deepEqual(texts.map(({ kind }) => kind), [...CALIBRATION_KINDS]);
  const tokenizer = await (await openModel()).tokenizer();
  for (const { kind, text } of texts) {
    assert.ok(tokenizer.encode(text).length > 3 * 512, kind);
    // A character that no text has on purpose.
    assert.ok(!text.includes("\ufffd"), kind);
  }
});

Deno.test("the table of the texts' sources names every one of them", async () => {
  const readme = await Deno.readTextFile(new URL("calibration/README.md", import.meta.url));
  for (const kind of CALIBRATION_KINDS) assert.ok(readme.includes(`\`${kind}.txt\``), kind);
});

Deno.test("no line of the embedded evaluation text is calibrated on", async () => {
  const lines = (await readEmbeddedText()).split("\n").filter((line) => line.length > 40);
  const texts = await readCalibrationTexts();
  for (const line of lines) assert.ok(texts.every(({ text }) => !text.includes(line)), line);
});
