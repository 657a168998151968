import assert from "node:assert";
import { join } from "node:path";
import { openModel } from "../../data/mod.ts";
import { planCalibration, plannedTokens } from "./calibration.ts";
import { readFiniteWeights } from "../input/original_model.ts";
import { TEXT, withWorkFolder } from "../testdata/work_folder.ts";

Deno.test("a data set is calibrated on by its texts, as it is measured by them", () =>
  withWorkFolder(async (folder) => {
    const source = await openModel(join(folder, "model"));
    const weights = await readFiniteWeights(source);
    const model = { source, weights, sha256: "", embedded: false, local: true };
    const plan = (name: string) =>
      planCalibration(model, {
        calibration: [join(folder, name)],
        backend: "cpu",
        threads: 1,
        seed: 0,
      });
    const texts = [TEXT, "A second text."];
    await Deno.writeTextFile(join(folder, "joined.txt"), texts.join("\n\n"));
    const lines = texts.map((text) => JSON.stringify({ meta: { id: 1 }, text }));
    await Deno.writeTextFile(join(folder, "set.jsonl"), lines.join("\n"));
    assert.deepEqual(await plan("set.jsonl"), await plan("joined.txt"));
    await Deno.writeTextFile(join(folder, "set.jsonl"), '{"story": "x"}');
    await assert.rejects(
      plan("set.jsonl"),
      /set.jsonl: record 1 has no field text; give another --calibration/,
    );
  }));

Deno.test("several files are mixed, and without any the texts of kanpress are", () =>
  withWorkFolder(async (folder) => {
    const source = await openModel(join(folder, "model"));
    const weights = await readFiniteWeights(source);
    let model = { source, weights, sha256: "", embedded: false, local: true };
    const common = { backend: "cpu", threads: 1, seed: 0 } as const;
    const plan = async (calibration?: string[], calibrationTokens?: number) => {
      const { text } = await planCalibration(model, {
        ...common,
        ...(calibration && { calibration }),
        ...(calibrationTokens && { calibrationTokens }),
      });
      assert.ok("tokens" in text);
      return text;
    };
    const [one, other] = [join(folder, "one.txt"), join(folder, "other.txt")];
    await Deno.writeTextFile(one, TEXT.repeat(20));
    await Deno.writeTextFile(other, TEXT.toUpperCase().repeat(20));
    const [first, second, both] = [
      await plan([one]),
      await plan([other]),
      await plan([one, other]),
    ];
    assert.equal(first.origin, "given");
    const size = both.tokens.length;
    assert.ok(size > first.tokens.length && size <= first.tokens.length + second.tokens.length);
    // The mixture begins with a chunk of each.
    const chunk = (await planCalibration(model, common)).settings.contextLength;
    const beginnings = [first, second].flatMap(({ tokens }) => [...tokens.subarray(0, chunk)]);
    assert.deepEqual([...both.tokens.subarray(0, 2 * chunk)], beginnings);
    // A quarter is the model's own; conversations, where it has a template for them.
    const several = await plan(undefined, 12 * chunk);
    assert.equal(several.origin, "several kinds");
    assert.equal(several.tokens.length, 9 * chunk);
    assert.deepEqual([several.own?.sequences, several.own?.length], [3, chunk]);
    assert.equal(several.own?.frame, undefined);
    await Deno.writeTextFile(
      join(folder, "model/chat_template.jinja"),
      "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}",
    );
    model = { ...model, source: await openModel(join(folder, "model")) };
    const { frame } = (await plan(undefined, 12 * chunk)).own!;
    assert.ok(frame !== undefined && frame.beginning.length > 0);
    await Deno.writeTextFile(other, "x");
    await assert.rejects(plan([one, other]), /other\.txt: has \d tokens, less than one chunk/);
  }));

Deno.test("where calibration ends by itself, given texts are there as a whole, in another order", () =>
  withWorkFolder(async (folder) => {
    const source = await openModel(join(folder, "model"));
    const weights = await readFiniteWeights(source);
    const model = { source, weights, sha256: "", embedded: false, local: true };
    const path = join(folder, "long.txt");
    await Deno.writeTextFile(path, TEXT.repeat(800));
    const common = { backend: "cpu", threads: 1, seed: 0, calibration: [path] } as const;
    const [whole, plain, stopping, few] = [
      await planCalibration(model, { ...common, calibrationTokens: 1e9 }),
      await planCalibration(model, common),
      await planCalibration(model, { ...common, calibrationLoss: 0.05 }),
      await planCalibration(model, { ...common, calibrationLoss: 0.05, calibrationTokens: 999 }),
    ];
    const { contextLength } = whole.settings;
    assert.ok(plannedTokens(plain) < plannedTokens(whole));
    const chunks = Math.floor(plannedTokens(whole) / contextLength);
    assert.equal(plannedTokens(stopping), chunks * contextLength);
    assert.ok(plannedTokens(few) <= 999);
    assert.equal(new Set([whole, plain, stopping, few].map(({ key }) => key)).size, 4);
  }));
