import assert from "node:assert";
import fc from "fast-check";
import { memorySource } from "../memory_source.ts";
import { readGgufHeader } from "./header.ts";
import { type GgufValue, readMetadata } from "./metadata_value.ts";
import {
  type FileToWrite,
  ggufBytes,
  numberValue,
  type TensorToWrite,
  textsValue,
  textValue,
} from "./testdata/gguf_bytes.ts";

async function read(file: FileToWrite | Uint8Array) {
  const bytes = file instanceof Uint8Array ? file : ggufBytes(file);
  return await readGgufHeader(memorySource(bytes, "a.gguf"));
}

async function refuses(file: FileToWrite | Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(read(file), { name: "InputError", message });
}

const tensor = (name: string, others: Partial<TensorToWrite> = {}): TensorToWrite => ({
  name,
  type: "F32",
  shape: [3, 2],
  bytes: new Uint8Array(24),
  ...others,
});

const everyKind: (readonly [string, GgufValue])[] = [
  ["a", numberValue("UINT8", 255)],
  ["b", numberValue("INT16", -2)],
  ["c", numberValue("FLOAT32", 0.5)],
  ["d", numberValue("UINT64", 2n ** 64n - 1n)],
  ["e", numberValue("INT64", -5)],
  ["f", { type: "BOOL", value: true }],
  ["g", textValue("\ufeffzwölf")],
  ["h", textsValue(["", "ĠPride"])],
  ["i", { type: "ARRAY", elements: { type: "INT32", values: [1, -1] } }],
  ["j", { type: "ARRAY", elements: { type: "BOOL", values: [true, false] } }],
];

Deno.test("a header is read as it was written, in both versions", async () => {
  for (const version of [2, 3]) {
    const tensors = [
      tensor("x"),
      tensor("y", { type: "Q8_0", shape: [2, 64], bytes: new Uint8Array(4 * 34) }),
    ];
    const header = await read({ version, metadata: everyKind, tensors });
    assert.equal(header.version, version);
    assert.deepEqual([...header.metadata], everyKind);
    const [x, y] = header.tensors;
    assert.deepEqual([x?.name, x?.shape, x?.type.name], ["x", [3, 2], "F32"]);
    assert.deepEqual([y?.name, y?.shape, y?.type.name], ["y", [2, 64], "Q8_0"]);
    assert.equal(header.dataStart % 32, 0);
    assert.deepEqual([x!.start, x!.end], [header.dataStart, header.dataStart + 24]);
    assert.deepEqual([y!.start, y!.end], [header.dataStart + 32, header.dataStart + 32 + 136]);
  }
});

Deno.test("a header of megabytes is read in steps", async () => {
  const texts = Array.from({ length: 150_000 }, (_, i) => `token ${i}`);
  const { metadata } = await read({ metadata: [["tokens", textsValue(texts)]] });
  assert.deepEqual(readMetadata("", metadata).texts("tokens"), texts);
});

Deno.test("another alignment is respected", async () => {
  const metadata = [["general.alignment", numberValue("UINT32", 64)]] as const;
  const { tensors, dataStart } = await read({ metadata, tensors: [tensor("x")], alignment: 64 });
  assert.equal(dataStart % 64, 0);
  assert.equal(tensors[0]?.start, dataStart);
  for (const wrong of [numberValue("UINT32", 24), numberValue("UINT32", 0), textValue("32")]) {
    await refuses({ metadata: [["general.alignment", wrong]] }, /alignment" is not a power of two/);
  }
});

Deno.test("other files are called by what they are", async () => {
  await refuses(new Uint8Array(0), /^a.gguf: begins with "", not GGUF; .*get it again$/);
  await refuses(new TextEncoder().encode("<html>no</html>"), /is a web page/);
  await refuses({ version: 1 }, /is of GGUF version 1, which is not supported \(2 and 3 are\)/);
  await refuses({ version: 3 * 2 ** 24 }, /is big endian/);
});

Deno.test("names that repeat, types and shapes that are wrong are refused by name", async () => {
  const x = textValue("x");
  await refuses({ metadata: [["k", x], ["k", x]] }, /its metadata "k" is there twice/);
  await refuses({ tensors: [tensor("w"), tensor("w")] }, /tensor "w" is there twice/);
  await refuses({ tensors: [tensor("w", { type: 4 })] }, /tensor "w" is of type 4 of ggml, which/);
  const flat = { shape: [1, 1, 1, 1, 6] };
  await refuses({ tensors: [tensor("w", flat)] }, /tensor "w" has 5 axes, where 4/);
  const uneven = { type: "Q4_K", shape: [2, 100] };
  await refuses({ tensors: [tensor("w", uneven)] }, /\[2, 100\] has rows .* blocks of 256 values/);
  const huge = { shape: [2 ** 40, 2 ** 40] };
  await refuses({ tensors: [tensor("w", huge)] }, /tensor "w" .* is larger than any file/);
});

Deno.test("tensors that do not lie where they can are refused", async () => {
  await refuses({ tensors: [tensor("w", { offset: 8 })] }, /begins at 8, which is not a multiple/);
  const far = tensor("w", { offset: 2 ** 50 });
  await refuses({ tensors: [far] }, /tensor "w" of shape \[3, 2\] is cut off: as F32 it ends at/);
  const both = [tensor("v"), tensor("w", { offset: 0 })];
  await refuses({ tensors: both }, /tensor "w" overlaps "v"/);
});

Deno.test("lengths and counts beyond the file are refused at once", async () => {
  const bytes = ggufBytes({ metadata: [["key", textsValue(["a"])]], tensors: [tensor("w")] });
  // Counts of tensors and of metadata, lengths of the key and of the array.
  for (
    const [at, place] of [[8, /tensor/], [16, /metadata/], [24, /name/], [43, /"key"/]] as const
  ) {
    for (const length of [2n ** 63n, 2n ** 50n, 2n ** 33n]) {
      const hostile = bytes.slice();
      new DataView(hostile.buffer).setBigUint64(at, length, true);
      await refuses(hostile, place);
    }
  }
});

Deno.test("a file that is cut off anywhere is refused, and one that is changed ends the same way", async () => {
  const whole = ggufBytes({ metadata: everyKind, tensors: [tensor("x"), tensor("y")] });
  for (let length = 0; length < whole.length; length++) {
    await refuses(whole.slice(0, length), /^a.gguf: /);
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const changed = whole.slice();
      changed[at] = byte;
      await read(changed).catch((error) => assert.equal(error.name, "InputError"));
    }),
    { numRuns: 500 },
  );
});

Deno.test("metadata of another kind than is asked for is refused by its key", () => {
  const metadata = readMetadata("a.gguf", new Map(everyKind));
  assert.equal(metadata.count("a"), 255);
  assert.equal(metadata.number("c"), 0.5);
  assert.equal(metadata.flag("f"), true);
  assert.deepEqual(metadata.numbers("i"), [1, -1]);
  assert.deepEqual(metadata.flags("j"), [true, false]);
  assert.equal(metadata.text("missing"), undefined);
  for (
    const wrong of [
      () => metadata.text("a"),
      () => metadata.count("b"),
      () => metadata.count("d"),
      () => metadata.flag("g"),
      () => metadata.texts("i"),
      () => metadata.numbers("h"),
    ]
  ) assert.throws(wrong, /^InputError: a\.gguf: its metadata "[a-j]" is not /);
});
