import assert from "node:assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TemporaryFolder } from "../data/testdata/temporary_folder.ts";
import * as constants from "../hierarchy/format/constants.ts";
import { goldenPath, readGoldenFiles } from "../hierarchy/testdata/golden_files.ts";
import { needsPython } from "./testdata/needs_python.ts";

const DECODER = fileURLToPath(new URL("decode_rate.py", import.meta.url));

async function runDecoder(...files: string[]) {
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: [DECODER, ...files],
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, output: output!, errors: errors! };
}

Deno.test("the decoder in Python decodes the golden files of rate bit for bit", {
  ...needsPython,
}, async () => {
  const golden = (await readGoldenFiles()).filter(({ name }) => name.startsWith("rate"));
  assert.ok(golden.length >= 7);
  const paths = golden.map(({ name }) => fileURLToPath(goldenPath(name)));
  const { success, output, errors } = await runDecoder(...paths);
  assert.ok(success, errors);
  for (const [i, line] of output.trim().split("\n").entries()) {
    const { name, tensors } = golden[i]!;
    const expected = Object.entries(tensors).map(([tensor, { shape, sha256 }]) =>
      [tensor, { shape, sha256 }] as const
    );
    assert.deepEqual(JSON.parse(line), Object.fromEntries(expected), name);
  }
});

Deno.test("the decoder in Python notices damage", { ...needsPython }, async () => {
  using folder = new TemporaryFolder();
  const file = join(folder.path, "damaged.kan.safetensors");
  for (const [fromEnd, message] of [[40, "stream 0.1.codes.0 is damaged"], [3900, "header"]]) {
    const bytes = await Deno.readFile(goldenPath("rate-8-states"));
    bytes[bytes.length - Number(fromEnd)]! ^= 1;
    await Deno.writeFile(file, bytes);
    const { success, errors } = await runDecoder(file);
    assert.ok(!success && errors.includes(String(message)), errors);
  }
});

Deno.test("the decoder in Python has at most 320 lines", async () => {
  const lines = (await Deno.readTextFile(DECODER)).trimEnd().split("\n");
  assert.ok(lines.length <= 320, `${lines.length} lines`);
});

Deno.test("docs/format.md lists the constants of the code", async () => {
  const page = await Deno.readTextFile(new URL("format.md", import.meta.url));
  for (const [name, value] of Object.entries(constants)) {
    if (typeof value === "object") continue;
    const row = new RegExp(`\\| \`${name}\` +\\| ${value} +\\|`);
    assert.match(page, row);
  }
  for (const checks of constants.PARITY_CHECKS.values()) {
    for (const polynomial of checks) assert.ok(page.includes(` 0o${polynomial.toString(8)} `));
  }
  for (const states of constants.STATE_COUNTS) assert.ok(page.includes(` ${states}`));
});
