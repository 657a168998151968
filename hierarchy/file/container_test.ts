import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { encodeContainer, openContainer } from "./container.ts";
import { containerWeights } from "../container_weights.ts";
import { HierarchicalCompressor } from "../compressor.ts";
import { checkDecodes, decodeContainer } from "../decode_container.ts";
import { putIntegers } from "../entropy/integer_vector.ts";
import { RansEncoder } from "../entropy/rans.ts";

const NAME = "tiny.kan.safetensors";
const open = (bytes: Uint8Array) => openContainer(memorySource(bytes, NAME));

const matrix = {
  dtype: "F32" as const,
  shape: [8, 12],
  data: Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * i)),
};
const norm = { dtype: "F32" as const, shape: [2], data: Float32Array.of(1, 2) };
const WEIGHTS = new Map([["w", matrix], ["norm", norm], ["head", matrix]]);
const { bytes: BYTES } = await new HierarchicalCompressor({ bytes: 1300, states: 8 }).compress(
  WEIGHTS,
  {
    config: { model_type: "gpt2" },
    source: "tiny",
  },
);

interface Changes {
  /** Metadata entries that replace the file's. */
  readonly metadata?: Record<string, string>;
  /** Streams that replace the file's, or are added to them; none where undefined. */
  readonly streams?: Record<string, Uint8Array | undefined>;
}

/** The file with some parts replaced and its hashes made right, as another writer might have made it. */
async function rewritten({ metadata = {}, streams = {} }: Changes): Promise<Uint8Array> {
  const file = await openSafetensors(memorySource(BYTES, "tiny"));
  const parts = new Map<string, Uint8Array>();
  for (const { name } of file.tensors) parts.set(name, await file.readBytes(name));
  for (const [name, bytes] of Object.entries(streams)) {
    if (bytes === undefined) parts.delete(name);
    else parts.set(name, bytes);
  }
  const hashes: Record<string, string> = {};
  for (const [name, bytes] of parts) hashes[name] = await sha256(bytes);
  const { checksum: _, ...own } = file.metadata;
  const entries: Record<string, string> = {
    ...own,
    sha256: JSON.stringify(hashes),
    ...metadata,
  };
  const sorted = JSON.stringify(Object.entries(entries).sort());
  const checksum = await sha256(new TextEncoder().encode(sorted));
  const tensors = [...parts].map(([name, bytes]) => ({
    name,
    dtype: "U8" as const,
    shape: [bytes.length],
    bytes,
  }));
  return encodeSafetensors(tensors, { ...entries, checksum });
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return new Uint8Array(digest).toBase64();
}

async function assertRefused(bytes: Uint8Array, message: RegExp): Promise<void> {
  await assert.rejects(open(bytes), (error) => {
    assert.ok(error instanceof InputError && message.test(error.message), `${error}`);
    assert.ok(error.message.startsWith(`${NAME}: `) && !error.message.includes("\n"), `${error}`);
    return true;
  });
}

Deno.test("openContainer() gives back what encodeContainer() was given", async () => {
  const container = await open(BYTES);
  assert.deepEqual([...container.aliases], [["head", "w"]]);
  assert.deepEqual([container.source, container.file], ["tiny", NAME]);
  assert.deepEqual(await encodeContainer(container), BYTES);
});

Deno.test("a container is a valid safetensors file of U8 streams", async () => {
  const { tensors, metadata } = await openSafetensors(memorySource(BYTES, "tiny"));
  assert.deepEqual(tensors.map(({ name, dtype }) => [name, dtype]), [
    ["exact", "U8"],
    ["0.0.steps", "U8"],
    ["0.1.fields", "U8"],
    ["0.1.codes.0", "U8"],
  ]);
  assert.equal(metadata.format, "kanpress");
});

const field = '{"kind":"field","parameters":{"step":1},"streams":["steps"]}';
const trellis = '{"kind":"trellis","parameters":{"states":8},"streams":["fields","codes.0"]}';
const row = (rest: string) => `[{"name":"w","dtype":"F32",${rest}}]`;
const autoencoder = (rest: string) =>
  `{"kind":"autoencoder","parameters":{${rest},"range":1,"coefficientBits":2},"streams":["decoder"]}`;

Deno.test("openContainer() says what is wrong with a header", async () => {
  const other = encodeSafetensors([], { format: "pt" });
  await assertRefused(other, /is not a compressed model/);
  const cases: [Record<string, string>, RegExp][] = [
    [{ version: "1" }, /format version 1/],
    [{ tensors: "[" }, /tensors is not JSON/],
    [{ tensors: "{}" }, /tensors is not a list/],
    [{ tensors: "[]", stages: "[]" }, /holds no weights/],
    [{ tensors: row('"shape":[-1]') }, /not understood/],
    [{ tensors: row('"shape":[2,2],"transposed":1') }, /not understood/],
    [{ tensors: row('"shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2,2]') }, /not understood/],
    [{ tensors: row('"shape":[1e6,1e6]') }, /claims 1000000000000 values up to tensor "w"/],
    [{ tensors: row('"shape":[1073741824,0]') }, /tensor "w" of shape .* cannot be coded/],
    [{ tensors: row('"shape":[6]') }, /tensor "w" of shape \[6\] cannot be coded/],
    [{ tensors: '[{"name":"a.#","count":1e9,"dtype":"F32","shape":[0]}]' }, /not understood/],
    [{ stages: "[3]" }, /stages: stage 1 is not a list/],
    [{ stages: "[[]]" }, /stages: stage 1 is not a list/],
    [{ stages: `[${"[1],".repeat(4)}[1]]` }, /at most 4/],
    [{ stages: `[[${`${field},`.repeat(16)}${trellis}]]` }, /1 to 16 levels/],
    [{ stages: '[[{"kind":"field","parameters":[],"streams":[]}]]' }, /not understood/],
    [{ stages: '[[{"kind":"field","parameters":{},"streams":["x"]}]]' }, /lacks stream "0\.0\.x"/],
    [{ stages: `[[{"kind":"\\u001bevil","parameters":{},"streams":[]}]]` }, /belongs to nothing/],
    [{ aliases: '{"head":"v"}' }, /"head" is tied to "v"/],
    [{ aliases: '{"head":{}}' }, /"head" is tied to {}/],
    [{ aliases: '["w"]' }, /aliases is not a JSON object/],
    [{ aliases: '{"norm":"w"}' }, /"norm" is both listed and tied/],
    [{ aliases: '{"__metadata__":"w"}' }, /cannot have the name/],
    [{ config: "3" }, /config is not a JSON object/],
    [{ sha256: "{}" }, /stream "0.0.steps" does not have its SHA-256/],
  ];
  for (const [metadata, message] of cases) {
    await assertRefused(await rewritten({ metadata }), message);
  }
});

Deno.test("names stand for one tensor each, and can be written and shown", async () => {
  const { metadata } = await openSafetensors(memorySource(BYTES, "tiny"));
  const rows = JSON.parse(metadata.tensors!) as { name: string }[];
  const [first, second] = rows as [{ name: string }, { name: string }];
  const named = (...names: string[]) => ({
    metadata: { tensors: JSON.stringify(rows.map((row, i) => ({ ...row, name: names[i] }))) },
  });
  assert.deepEqual([first.name, second.name], ["w", "norm"]);
  await assertRefused(await rewritten(named("w", "w")), /lists tensor "w" twice/);
  for (const name of ["__metadata__", "a\u001b[2J", "a\u009b", "\ud800"]) {
    await assertRefused(await rewritten(named("w", name)), /a tensor cannot have the name/);
  }
});

Deno.test("a stage is a chain of levels, and each can be that of the tensors", async () => {
  const without = { "0.0.steps": undefined, "0.1.fields": undefined, "0.1.codes.0": undefined };
  const file = await openSafetensors(memorySource(BYTES, "tiny"));
  const steps = await file.readBytes("0.0.steps");
  const [fields, codes] = [await file.readBytes("0.1.fields"), await file.readBytes("0.1.codes.0")];
  const bytes = (length: number) => new Uint8Array(length);
  const tail = `${field},${trellis}`;
  const cases: [string, Changes["streams"], RegExp][] = [
    ["[]", without, /no level codes tensor "w" \(8 x 12\)/],
    [`[[${field}]]`, { ...without, "0.0.steps": steps }, /no level follows .* tensor "w"/],
    [`[[${trellis},${field},${trellis}]]`, {
      ...without,
      "0.0.fields": fields,
      "0.0.codes.0": codes,
      "0.1.steps": steps,
      "0.2.fields": fields,
      "0.2.codes.0": codes,
    }, /trellis level: another level follows/],
    [`[[${tail}]]`, { extra: bytes(1) }, /stream "extra" belongs to nothing/],
    [`[[${tail}]]`, { "0.1.fields": bytes(4) }, /"fields" of 4 bytes is too short/],
    [`[[${tail.replace('"codes.0"', '"codes.1"')}]]`, {
      "0.1.codes.0": undefined,
      "0.1.codes.1": codes,
    }, /stream "codes.0" is missing/],
    [`[[${tail}]]`, { "0.0.steps": bytes(64) }, /"steps" does not decode to its end/],
    [`[[${field.replace('"step":1', '"step":-1')},${trellis}]]`, {}, /"step" is -1/],
    [`[[${tail.replace('"states":8', '"states":5')}]]`, {}, /has 5 states/],
    [`[[${autoencoder('"hiddenDim":4096,"blockSize":1,"intervals":1')},${tail}]]`, {
      ...without,
      "0.0.decoder": bytes(100),
      "0.1.steps": steps,
      "0.2.fields": fields,
      "0.2.codes.0": codes,
    }, /4096 latents for blocks of 1 values/],
    [`[[${autoencoder('"hiddenDim":4096,"blockSize":1638,"intervals":7')},${tail}]]`, {
      ...without,
      "0.0.decoder": bytes(100),
      "0.1.steps": steps,
      "0.2.fields": fields,
      "0.2.codes.0": codes,
    }, /"decoder" of 100 bytes is too short/],
  ];
  for (const [stages, streams, message] of cases) {
    await assertRefused(await rewritten({ metadata: { stages }, streams: streams ?? {} }), message);
  }
});

Deno.test("what is not finite is not decoded in silence, coded or kept", async () => {
  const side = new RansEncoder();
  // A step of 2^1125.
  for (const vector of [[9000], [0]]) putIntegers(side, Int32Array.from(vector));
  const infinite = Uint8Array.of(0, 0x7c, 0, 0x3c);
  const cases: [Changes["streams"], RegExp][] = [
    [
      { "0.0.steps": side.finish() },
      /tiny\.kan\.safetensors: tensor "w" decodes to (NaN|Infinity)/,
    ],
    [{ exact: infinite }, /tiny\.kan\.safetensors: tensor "norm" decodes to Infinity at element 0/],
  ];
  for (const [streams, message] of cases) {
    const container = await open(await rewritten({ streams: streams ?? {} }));
    await assert.rejects(decodeContainer(container), message);
    await assert.rejects(checkDecodes(container), message);
    await assert.rejects(
      new Promise((resolve) => resolve(containerWeights(container).read("w"))),
      message,
    );
  }
});
