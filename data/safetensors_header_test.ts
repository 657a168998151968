import assert from "node:assert";
import fc from "fast-check";
import type { ByteSource } from "./byte_source.ts";
import { dtypes } from "./dtype.ts";
import { InputError } from "./input_error.ts";
import { memorySource } from "./memory_source.ts";
import { encodeSafetensors } from "./safetensors_encode.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { readSafetensorsHeader } from "./safetensors_header.ts";

/** A file of the given header, which need not be valid, and this many bytes of tensors. */
function fileOf(header: string | Uint8Array, dataBytes: number, headerLength?: number): Uint8Array {
  const json = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength ?? json.length), true);
  file.set(json, 8);
  return file;
}

async function rejection(source: ByteSource): Promise<string> {
  try {
    await readSafetensorsHeader(source);
  } catch (error) {
    assert(error instanceof InputError, `${error}`);
    assert.match(error.message, /^bad\.safetensors: [^\n\r]*$/);
    return error.message;
  }
  return assert.fail("was accepted");
}

const tensor = (shape: string, offsets: string, dtype = '"F32"') =>
  `{"dtype": ${dtype}, "shape": ${shape}, "data_offsets": ${offsets}}`;

const badHeaders: readonly [string, string, number, RegExp][] = [
  ["an empty header", "", 0, /its header does not begin with \{;/],
  ["a header that is a list", "[]", 0, /its header does not begin with \{;/],
  ["a header after a space", " {}", 0, /its header does not begin with \{;/],
  ["a header that is cut off", '{"a": ', 0, /its header is not valid JSON in UTF-8;/],
  ["a header with a NUL after it", "{}\0", 0, /its header is not valid JSON in UTF-8;/],
  [
    "a tensor twice",
    `{"a": ${tensor("[1]", "[0, 4]")}, "a": ${tensor("[1]", "[0, 4]")}}`,
    4,
    /its header has the key "a" twice;/,
  ],
  [
    "a shape twice",
    '{"a": {"dtype": "F32", "shape": [1], "shape": [1], "data_offsets": [0, 4]}}',
    4,
    /its header has the key "shape" twice in "a";/,
  ],
  [
    "metadata twice",
    '{"__metadata__": {"k": "1", "k": "2"}}',
    0,
    /its header has the key "k" twice in "__metadata__";/,
  ],
  [
    "metadata that are not an object",
    '{"__metadata__": []}',
    0,
    /its __metadata__ is not a JSON obj/,
  ],
  [
    "metadata that are not strings",
    '{"__metadata__": {"k": 1}}',
    0,
    /its __metadata__ entry "k" is not a string;/,
  ],
  ["a tensor that is a number", '{"a": 1}', 0, /tensor "a" has no description;/],
  [
    "a tensor without dtype",
    '{"a": {"shape": [], "data_offsets": [0, 4]}}',
    4,
    /"a" has no dtype;/,
  ],
  [
    "an unknown dtype",
    `{"a": ${tensor("[1]", "[0, 4]", '"F99"')}}`,
    4,
    /tensor "a" has dtype "F99", which is not known; convert it to one of F64, F32,/,
  ],
  ["a shape that is a number", `{"a": ${tensor("1", "[0, 4]")}}`, 4, /"a" has a shape that is not/],
  ["a negative size", `{"a": ${tensor("[-1]", "[0, 4]")}}`, 4, /the number -1 in "a.shape", which/],
  ["a size written 1.0", `{"a": ${tensor("[1.0]", "[0, 4]")}}`, 4, /the number 1.0 in "a.shape"/],
  [
    "a size beyond 2^53",
    `{"a": ${tensor("[18446744073709551616]", "[0, 4]")}}`,
    4,
    /tensor "a" has a shape that is not a list of sizes;/,
  ],
  [
    "sizes whose product overflows",
    `{"a": ${tensor("[4294967296, 4294967296, 0]", "[0, 0]")}}`,
    0,
    /tensor "a" of shape \[4294967296, 4294967296, 0\] needs too many bytes as F32, and has 0;/,
  ],
  ["one offset", `{"a": ${tensor("[1]", "[4]")}}`, 4, /tensor "a" has no two data_offsets;/],
  ["three offsets", `{"a": ${tensor("[1]", "[0, 4, 8]")}}`, 4, /"a" has no two data_offsets;/],
  ["offsets backwards", `{"a": ${tensor("[1]", "[4, 0]")}}`, 4, /"a" ends at 0, before it starts/],
  [
    "a shape that disagrees with the offsets",
    `{"a": ${tensor("[2, 3]", "[0, 4]")}}`,
    4,
    /tensor "a" of shape \[2, 3\] needs 24 bytes as F32, and has 4;/,
  ],
  [
    "a gap at the start",
    `{"a": ${tensor("[1]", "[4, 8]")}}`,
    8,
    /tensor "a" leaves a gap: it starts at 4, not 0;/,
  ],
  [
    "a gap between tensors",
    `{"a": ${tensor("[1]", "[0, 4]")}, "b": ${tensor("[1]", "[5, 9]")}}`,
    9,
    /tensor "b" leaves a gap: it starts at 5, not 4;/,
  ],
  [
    "tensors that share bytes",
    `{"b": ${tensor("[2]", "[0, 8]")}, "a": ${tensor("[1]", "[4, 8]")}}`,
    8,
    /tensor "a" overlaps the one before: it starts at 4, not 8;/,
  ],
  [
    "bytes after the last tensor",
    `{"a": ${tensor("[1]", "[0, 4]")}}`,
    5,
    /the tensors end after 4 bytes, and the file has 5;/,
  ],
  [
    "a tensor that is cut off",
    `{"a": ${tensor("[1]", "[0, 4]")}, "b": ${tensor("[2]", "[4, 12]")}}`,
    11,
    /tensor "b" is cut off: 12 bytes of tensors are announced, and the file has 11;/,
  ],
];

for (const [name, header, dataBytes, message] of badHeaders) {
  Deno.test(`refused: ${name}`, async () => {
    const source = memorySource(fileOf(header, dataBytes), "bad.safetensors");
    assert.match(await rejection(source), message);
  });
}

Deno.test("refused: a file shorter than its length, or than its header", async () => {
  const short = memorySource(new Uint8Array(7), "bad.safetensors");
  assert.match(await rejection(short), /only 7 bytes long;/);
  const cut = memorySource(fileOf("{}", 0, 3), "bad.safetensors");
  assert.match(await rejection(cut), /its header should have 3 bytes, and 2 are there;/);
});

Deno.test("refused: a header beyond 100 MB, without reading it", async () => {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, 100_000_001n, true);
  const source: ByteSource = {
    name: "bad.safetensors",
    byteLength: 2 ** 40,
    read(start, end) {
      assert(start === 0 && end <= 64);
      return Promise.resolve(length);
    },
  };
  assert.match(await rejection(source), /header would be 100000001 bytes, where 100 MB is the lim/);
  length.fill(0xff);
  assert.match(await rejection(source), /would be 18446744073709551615 bytes, where 100 MB is/);
});

Deno.test("refused: a web page or a Git LFS pointer in place of the file", async () => {
  const text = (content: string) =>
    memorySource(new TextEncoder().encode(content), "bad.safetensors");
  assert.match(
    await rejection(text("<!doctype html>")),
    /: is a web page in place of the file; get it again/,
  );
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
  assert.match(await rejection(text(pointer)), /is a Git LFS pointer .*; fetch it with git lfs/);
});

Deno.test("refused: a header that is not UTF-8, or begins with a byte order mark", async () => {
  const latin = fileOf(Uint8Array.of(0x7b, 0x22, 0xe9, 0x22, 0x3a, 0x31, 0x7d), 0);
  assert.match(await rejection(memorySource(latin, "bad.safetensors")), /not valid JSON in UTF-8;/);
  const marked = fileOf("\ufeff{}", 0);
  assert.match(await rejection(memorySource(marked, "bad.safetensors")), /does not begin with \{;/);
});

Deno.test("accepted: spaces after the header, unknown fields, empty tensors, odd names", async () => {
  const header = `{
    "__proto__": ${tensor("[1]", "[0, 4]")},
    "1": ${tensor("[0, 7]", "[4, 4]")},
    "": {"dtype": "U8", "shape": [], "data_offsets": [4, 5], "note": [{"k": "v"}]},
    "__metadata__": {"__proto__": "x"}
  }   `;
  const file = await readSafetensorsHeader(memorySource(fileOf(header, 5), "odd.safetensors"));
  assert.deepStrictEqual(file.tensors.map(({ name }) => name), ["__proto__", "1", ""]);
  assert.deepStrictEqual(Object.entries(file.metadata), [["__proto__", "x"]]);
});

const sample = encodeSafetensors(
  [
    { name: "wide", dtype: "F64", shape: [1, 2], bytes: new Uint8Array(16) },
    { name: "half", dtype: "F16", shape: [3], bytes: new Uint8Array(6) },
    { name: "none", dtype: "I32", shape: [0], bytes: new Uint8Array() },
  ],
  { format: "pt" },
);

/** Opens and reads everything: it either works or is an InputError, never another error. */
async function surviveReading(bytes: Uint8Array): Promise<void> {
  try {
    const file = await openSafetensors(memorySource(bytes, "fuzzed.safetensors"));
    for (const { name, shape } of file.tensors) {
      const { data } = await file.read(name);
      assert.equal(data.length, shape.reduce((product, size) => product * size, 1));
    }
  } catch (error) {
    assert(error instanceof InputError, `${error instanceof Error ? error.stack : error}`);
    assert(!/[\r\n]/.test(error.message), error.message);
  }
}

Deno.test("every truncation is an InputError", async () => {
  for (let length = 0; length < sample.length; length++) {
    const cut = memorySource(sample.subarray(0, length), "cut.safetensors");
    await assert.rejects(openSafetensors(cut), InputError);
  }
});

Deno.test("every single bit flip gives a valid parse or an InputError", async () => {
  for (let bit = 0; bit < 8 * sample.length; bit++) {
    const flipped = sample.slice();
    flipped[bit >>> 3]! ^= 1 << (bit & 7);
    await surviveReading(flipped);
  }
});

Deno.test("random headers give a valid parse or an InputError", async () => {
  const size = fc.oneof(fc.nat(4), fc.nat(), fc.constant(2 ** 53), fc.double(), fc.string());
  const entry = fc.record({
    dtype: fc.oneof(fc.constantFrom(...dtypes), fc.string()),
    shape: fc.oneof(fc.array(size, { maxLength: 3 }), fc.jsonValue()),
    data_offsets: fc.oneof(fc.tuple(size, size), fc.jsonValue()),
  }, { requiredKeys: [] });
  const header = fc.oneof(
    fc.dictionary(fc.string(), fc.oneof(entry, fc.jsonValue())),
    fc.jsonValue({ noUnicodeString: false }),
  );
  await fc.assert(
    fc.asyncProperty(header, fc.nat(40), async (value, dataBytes) => {
      await surviveReading(fileOf(JSON.stringify(value) ?? "", dataBytes));
    }),
    { seed: 5, numRuns: 250 },
  );
});

Deno.test("random edits of a header give a valid parse or an InputError", async () => {
  const json = new TextDecoder().decode(sample.subarray(8)).replace(/\0+$/, "");
  const edit = fc.tuple(fc.nat(json.length), fc.nat(3), fc.string({ maxLength: 3 }));
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
      let changed = json;
      for (const [at, removed, added] of edits) {
        changed = changed.slice(0, at) + added + changed.slice(at + removed);
      }
      await surviveReading(fileOf(changed, 22));
    }),
    { seed: 6, numRuns: 500 },
  );
});

Deno.test("headers of every length are read, those that begin as other kinds of files do, too", async () => {
  for (const length of [0x280, 0x380, 0x480, 0x580, 0x8b1f, 0x4b50]) {
    const file = new Uint8Array(8 + length).fill(0x20);
    new DataView(file.buffer).setUint32(0, length, true);
    file.fill(0, 4, 8).set(new TextEncoder().encode("{}"), 8);
    const { tensors } = await readSafetensorsHeader(memorySource(file, "model.safetensors"));
    assert.deepEqual(tensors, []);
  }
});
