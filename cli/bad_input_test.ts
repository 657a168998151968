import assert from "node:assert";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { byteTokenizer } from "./testdata/byte_tokenizer.ts";
import {
  errorLines,
  runCommandLine,
  type RunOptions,
  startCommandLine,
} from "./testdata/command_line.ts";
import { TEXT, withWorkFolder } from "./testdata/work_folder.ts";

/** Compresses `model/` with `extra` arguments; it must fail with one line that matches. */
async function compressFails(
  folder: string,
  expected: RegExp,
  extra: readonly string[] = [],
  options: RunOptions = {},
): Promise<void> {
  const before = listing(folder);
  const args = ["compress", "model", "--text", "text.txt", "--threads", "1", "--out", "out"];
  await fails(folder, [...args, ...extra], expected, options);
  assert.deepEqual(listing(folder), before, "partial output was left");
}

async function fails(
  folder: string,
  args: readonly string[],
  expected: RegExp,
  options: RunOptions = {},
): Promise<void> {
  const { code, out, error } = await runCommandLine(args, { cwd: folder, ...options });
  assert.equal(code, 1, error);
  assert.equal(out, "");
  const lines = errorLines(error);
  assert.equal(lines.length, 1, error);
  assert.match(lines[0] ?? "", expected);
}

function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).toSorted();
}

/** Changes one byte of a file. */
function flip(path: string, at: number, mask = 0x10): void {
  const bytes = Deno.readFileSync(path);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ mask;
  Deno.writeFileSync(path, bytes);
}

Deno.test("a missing model, text or file is named", () =>
  withWorkFolder(async (folder) => {
    await fails(folder, ["compress", "./nowhere"], /^error: \.\/nowhere: does not exist; check/);
    await fails(folder, ["evaluate", "./nowhere"], /^error: \.\/nowhere: does not exist; check/);
    await fails(folder, ["inspect", "nowhere"], /^error: nowhere: does not exist; name a/);
    await fails(
      folder,
      ["decompress", "x.kan.safetensors", "--out", "out"],
      /x.kan.safetensors: does/,
    );
    await compressFails(folder, /^error: no\.txt: does not exist/, ["--text", "no.txt"]);
    await Deno.remove(join(folder, "model", "config.json"));
    await compressFails(folder, /^error: model: has no config\.json/);
  }));

Deno.test("a truncated weight file is refused", () =>
  withWorkFolder(async (folder) => {
    const weights = join(folder, "model", "model.safetensors");
    await Deno.truncate(weights, 20_000);
    await compressFails(
      folder,
      /^error: model\/model\.safetensors: tensor "\S+" is cut off: .*get it again/,
    );
    await Deno.truncate(weights, 5);
    await compressFails(folder, /^error: model\/model\.safetensors: only 5 bytes/);
  }));

Deno.test("a weight file with a flipped bit in its header is refused", () =>
  withWorkFolder(async (folder) => {
    const weights = join(folder, "model", "model.safetensors");
    // In the header's length, in its syntax, and in a tensor's name.
    for (const at of [0, 6, 9]) {
      flip(weights, at);
      await compressFails(folder, /^error: model\/model\.safetensors: .*get it again/);
      flip(weights, at);
    }
    const name = new TextDecoder().decode(await Deno.readFile(weights)).indexOf("wte.weight");
    flip(weights, name);
    await compressFails(folder, /^error: model: tensor transformer\.gte\.weight has no place/);
  }));

Deno.test("an unknown architecture is refused with those that are known", () =>
  withWorkFolder((folder) => compressFails(folder, /^error: model.*model_type is "rnn".*gpt2/), {
    config: { model_type: "rnn" },
  }));

Deno.test("shapes that disagree with the config are refused", () =>
  withWorkFolder(
    (folder) => compressFails(folder, /^error: model.*wte\.weight.*\[257, 16\].*\[300, 16\]/),
    {
      config: { vocab_size: 300 },
    },
  ));

for (const value of [NaN, Infinity, -Infinity]) {
  Deno.test(`a weight that is ${value} is refused with its place`, () =>
    withWorkFolder(
      (folder) => compressFails(folder, /^error: model.*c_fc\.weight.*(NaN|Infinity) at element 7/),
      {
        alter: (name, values) => {
          if (name.endsWith("c_fc.weight")) values[7] = value;
        },
      },
    ));
}

Deno.test("an empty, short or unreadable text is refused", () =>
  withWorkFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "text.txt"), "");
    await compressFails(folder, /^error: text\.txt: is empty; give/);
    await Deno.writeTextFile(join(folder, "text.txt"), "Too short.");
    await compressFails(
      folder,
      /^error: text\.txt: the text has 10 tokens, but one chunk needs 32; give/,
    );
    await Deno.writeFile(join(folder, "text.txt"), Uint8Array.of(0xc3, 0x28));
    await compressFails(folder, /^error: text\.txt: is not UTF-8/);
    await Deno.writeTextFile(join(folder, "text.txt"), TEXT);
    await compressFails(folder, /^error: model: is a folder|^error: model: is not a file/, [
      "--text",
      "model",
    ]);
  }));

Deno.test("a full disk is reported and leaves nothing", () =>
  withWorkFolder((folder) =>
    compressFails(folder, /^error: out\/.*: larger than the system allows/, ["--no-cache"], {
      fileLimit: 2,
    })
  ));

Deno.test("a place that cannot be written is reported before the work", () =>
  withWorkFolder(async (folder) => {
    await compressFails(folder, /^error: text\.txt\/out: /, ["--out", "text.txt/out"]);
    await compressFails(folder, /^error: \/proc\/out: /, ["--out", "/proc/out"]);
    await compressFails(folder, /^error: model: exists and was not written by kanpress/, [
      "--out",
      "model",
    ]);
    await Deno.writeTextFile(join(folder, "text.kan.safetensors"), TEXT);
    await compressFails(folder, /^error: text\.kan\.safetensors: exists and was not/, [
      "--out",
      "text.kan.safetensors",
    ]);
  }));

Deno.test("a calibration text that cannot be used is refused", () =>
  withWorkFolder(async (folder) => {
    Deno.writeTextFileSync(join(folder, "short.txt"), "no");
    await compressFails(folder, /^error: short\.txt: has \d+ tokens, less than one chunk/, [
      "--calibration",
      "short.txt",
    ]);
    await compressFails(folder, /^error: nowhere\.txt: /, ["--calibration", "nowhere.txt"]);
    const both = ["compress", "model", "--calibration", "text.txt", "--data-free"];
    const { code } = await runCommandLine([...both, "--text", "text.txt"], { cwd: folder });
    assert.equal(code, 2);
  }));

Deno.test("a damaged compressed file is refused by every command", () =>
  withWorkFolder(async (folder) => {
    const args = ["compress", "model", "--text", "text.txt", "--out", "ok", "--data-free"];
    const { code, error } = await runCommandLine(args, { cwd: folder });
    assert.equal(code, 0, error);
    const file = join(folder, "ok", "model.kan.safetensors");
    const whole = await Deno.readFile(file);
    const named = /^error: ok\/model\.kan\.safetensors: /;
    for (const at of [2, 40, 400, -1, -Math.floor(whole.length / 3)]) {
      flip(file, at, 1);
      await fails(folder, ["inspect", "ok"], named);
      await Deno.writeFile(file, whole);
    }
    flip(file, -1);
    await fails(folder, ["evaluate", "ok", "--text", "text.txt"], named);
    await fails(folder, ["decompress", "ok", "--out", "restored"], named);
    await Deno.truncate(file, whole.length - 100);
    await fails(folder, ["decompress", "ok", "--out", "restored"], named);
    await Deno.truncate(file, 3);
    await fails(folder, ["evaluate", "ok", "--text", "text.txt"], named);
    assert.ok(!existsSync(join(folder, "restored")));
  }));

Deno.test("a tokenizer that is not the model's is refused, compressed or not", () =>
  withWorkFolder(async (folder) => {
    const args = ["compress", "model", "--text", "text.txt", "--out", "ok", "--data-free"];
    const { code, error } = await runCommandLine(args, { cwd: folder });
    assert.equal(code, 0, error);
    for (const subject of ["ok", "model"]) {
      const file = join(folder, subject, "tokenizer.json");
      await Deno.writeTextFile(file, JSON.stringify(byteTokenizer(1000)));
      const expected = /tokenizer\.json: has 1000 tokens, but config\.json gives the model 257/;
      for (const more of [[], ["--low-memory"]]) {
        await fails(folder, ["evaluate", subject, "--text", "text.txt", ...more], expected);
      }
    }
  }));

Deno.test("Ctrl-C in the middle ends with one line and leaves nothing", () =>
  withWorkFolder(async (folder) => {
    const before = listing(folder);
    const args = ["compress", "--threads", "1", "--out", "new/out"];
    const process = startCommandLine(args, { cwd: folder });
    let error = "";
    for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
      // The embedded model has been read, and compressing it takes seconds.
      if (error === "") process.kill("SIGINT");
      error += text;
    }
    const { code } = await process.status;
    await process.stdout.cancel();
    assert.equal(code, 1, error);
    assert.deepEqual(errorLines(error), [
      "error: interrupted; no partial output was left behind",
    ]);
    assert.deepEqual(listing(folder), before);
  }));
