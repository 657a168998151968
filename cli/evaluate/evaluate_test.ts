import assert from "node:assert";
import { join } from "node:path";
import { compress } from "../compress/compress.ts";
import { InputError } from "../../data/mod.ts";
import { evaluate } from "./evaluate.ts";
import type { EvaluateOptions } from "../options/evaluate_options.ts";
import { recordedRun } from "../testdata/recorded_run.ts";
import { withWorkFolder } from "../testdata/work_folder.ts";

function optionsIn(folder: string, more: Partial<EvaluateOptions> = {}): EvaluateOptions {
  return {
    text: [join(folder, "text.txt")],
    threads: 1,
    backend: "cpu",
    json: true,
    maxTokens: 5,
    temperature: 0.8,
    topK: 0,
    topP: 1,
    seed: 1,
    ...more,
  };
}

/** Compresses the folder's model to `out` and gives the JSON that compress printed. */
async function compressIn(folder: string, out: string) {
  const run = recordedRun();
  const { text, threads } = optionsIn(folder);
  const options = { text: text ?? [], threads, backend: "cpu", json: true, seed: 0 } as const;
  await compress(join(folder, "model"), { ...options, bits: 8, out }, run);
  return JSON.parse(run.printed.join());
}

async function evaluateJson(model: string, options: EvaluateOptions) {
  const run = recordedRun();
  await evaluate(model, options, run);
  return JSON.parse(run.printed.join());
}

Deno.test("evaluate measures what compress measured", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const compressed = await compressIn(folder, out);
    const plot = join(folder, "plot.json");
    const both = await evaluateJson(out, optionsIn(folder, { plot }));
    const { data } = JSON.parse(await Deno.readTextFile(plot));
    const drawn = data.flatMap(({ name, y }: { name: string; y: number[] }) =>
      name === "Pareto front" ? [] : y
    );
    assert.deepEqual(drawn, [both.perplexity.original, both.perplexity.compressed]);
    assert.deepEqual(both.perplexity, compressed.perplexity);
    assert.equal(both.klDivergence.mean, compressed.klDivergence.mean);
    assert.equal(both.klDivergence.p999, compressed.klDivergence.p999);
    assert.equal(both.sameTop1, compressed.sameTop1);
    const original = await evaluateJson(join(folder, "model"), optionsIn(folder));
    assert.deepEqual(Object.keys(original).slice(0, 4), [
      "model",
      "tokens",
      "perplexity",
      "perplexityStandardError",
    ]);
    assert.equal(original.perplexity, compressed.perplexity.original);
  }));

Deno.test("several texts are measured one by one, and parts as they were", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    await compressIn(folder, out);
    // Tests beside this one have the same model elsewhere, for a while.
    const original = join(folder, "model");
    const more = join(folder, "more.txt");
    await Deno.writeTextFile(more, "Nobody came to meet the ferry. ".repeat(9));
    const [first, second] = [[join(folder, "text.txt")], [more]];
    const both = await evaluateJson(
      out,
      optionsIn(folder, { original, text: [...first, ...second], byPart: true }),
    );
    const alone = [];
    for (const text of [first, second]) {
      alone.push(await evaluateJson(out, optionsIn(folder, { original, text })));
    }
    assert.equal(both.klDivergence.mean, alone[0].klDivergence.mean);
    assert.deepEqual(
      both.texts.map(({ text, perplexity, klDivergence }: Record<string, unknown>) => [
        ...[text, perplexity, (klDivergence as { mean: number }).mean],
      ]),
      alone.map((one, i) => [[...first, ...second][i], one.perplexity, one.klDivergence.mean]),
    );
    assert.equal("texts" in alone[0] || "parts" in alone[0], false);
    const parts: { part: string; klDivergence: number }[] = both.parts;
    assert.deepEqual(parts.map(({ part }) => part).slice(-2), ["attention", "feed-forward"]);
    for (const { klDivergence } of parts) assert.notEqual(klDivergence, both.klDivergence.mean);
    const spoken = recordedRun();
    const { json: _, ...options } = optionsIn(folder, { original, text: [...first, ...second] });
    await evaluate(out, { ...options, byPart: true }, spoken);
    assert.match(spoken.printed.join(), /as it was +mean KL +less\n(.*\n)*feed-forward +0\.\d+/);
    assert.match(spoken.printed.join(), /text +perplexity +compressed +mean KL.*\n.*text\.txt/);
    await assert.rejects(
      evaluate(join(folder, "model"), optionsIn(folder, { byPart: true }), recordedRun()),
      { name: "UsageError", message: /--by-part sets a compressed model beside its original/ },
    );
  }));

Deno.test("a compressed model whose original is gone is measured alone", () =>
  // A model of its own: originals are known by their weights, and other tests run beside this one.
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    const compressed = await compressIn(folder, out);
    await Deno.rename(join(folder, "model"), join(folder, "moved"));
    const alone = await evaluateJson(out, optionsIn(folder));
    assert.deepEqual(alone.perplexity, { compressed: compressed.perplexity.compressed });
    assert.equal(alone.klDivergence, undefined);
    const moved = await evaluateJson(out, optionsIn(folder, { original: join(folder, "moved") }));
    assert.equal(moved.klDivergence.mean, compressed.klDivergence.mean);
    // A file alone has no tokenizer beside it.
    const file = join(folder, "alone.kan.safetensors");
    await Deno.copyFile(join(out, "model.kan.safetensors"), file);
    await assert.rejects(evaluateJson(file, optionsIn(folder)), /no tokenizer.json .* --original/);
  }, {
    // Where another test's model of the same weights is may be known.
    alter: (_, values) => void values.reverse(),
  }));

Deno.test("a prompt is continued by both models from the same seed", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    await compressIn(folder, out);
    const options = optionsIn(folder, { prompt: "The ferry" });
    const first = await evaluateJson(out, options);
    assert.deepEqual(Object.keys(first.continuations), ["original", "compressed"]);
    assert.equal(first.comparedWith.checked, true);
    assert.deepEqual(await evaluateJson(out, options), first);
    const { json: _, ...plain } = options;
    const run = recordedRun();
    await evaluate(out, plain, run);
    assert.match(run.printed.join(), /^original {10,}compressed\n\nThe ferry/);
  }));

Deno.test("models answer in a chat through their template, which compress keeps", () =>
  withWorkFolder(async (folder) => {
    const model = join(folder, "model");
    const template = "{% for m in messages %}{{ m.role }}: {{ m.content }}. {% endfor %}";
    await Deno.writeTextFile(join(model, "chat_template.jinja"), template);
    const out = join(folder, "out");
    await compressIn(folder, out);
    const options = optionsIn(folder, { chat: "The ferry", system: "Be brief" });
    const found = await evaluateJson(out, options);
    assert.deepEqual(found.messages, [
      { role: "system", content: "Be brief" },
      { role: "user", content: "The ferry" },
    ]);
    // The same as a continuation of what the template makes of them.
    const prompt = "system: Be brief. user: The ferry. ";
    const { continuations } = await evaluateJson(out, optionsIn(folder, { prompt }));
    assert.deepEqual(found.replies, continuations);
    const { json: _, ...plain } = options;
    const run = recordedRun();
    await evaluate(out, plain, run);
    assert.match(
      run.printed.join(),
      /^system: Be brief\n\nuser: The ferry\n\noriginal +compressed/,
    );
    // A compressed file without it has its original's, which other tests have copies of.
    const named = { ...options, original: model };
    await Deno.remove(join(out, "chat_template.jinja"));
    assert.deepEqual((await evaluateJson(out, named)).replies, found.replies);
    await Deno.remove(join(model, "chat_template.jinja"));
    await assert.rejects(evaluateJson(out, named), /no chat template.*--prompt/);
  }));

Deno.test("an original that is another model is refused", () =>
  withWorkFolder(async (folder) => {
    const out = join(folder, "out");
    await compressIn(folder, out);
    await withWorkFolder(async (other) => {
      const options = optionsIn(folder, { original: join(other, "model") });
      await assert.rejects(evaluateJson(out, options), /of another shape .* --original/);
      const whole = join(folder, "model");
      await assert.rejects(evaluateJson(whole, options), /is not of the shape of .* --original/);
    }, { positions: 16 });
  }));

Deno.test("whatever is to be read is opened before weights are", () =>
  withWorkFolder(async (folder) => {
    const missing = join(folder, "missing.json");
    for (
      const named of [
        { text: [missing] },
        { against: missing },
        { task: "piqa", data: missing },
        { task: "piqa", data: join(folder, "text.txt") },
      ]
    ) {
      const run = recordedRun();
      const options = optionsIn(folder, named);
      await assert.rejects(evaluate(join(folder, "model"), options, run), InputError);
      assert.deepEqual(run.lines.filter((line) => line.startsWith("read:")), []);
    }
  }));
