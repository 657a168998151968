import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { type Container, encodeContainer, openContainer } from "./container.ts";

const CONTAINER: Container = {
  tensors: [
    { name: "w", dtype: "F32", shape: [2, 3] },
    { name: "norm", dtype: "F32", shape: [2], stored: "F16" },
  ],
  aliases: new Map([["head", "w"]]),
  stages: [[
    { kind: "field", parameters: { step: 0.1 }, streams: new Map([["steps", Uint8Array.of(1)]]) },
    { kind: "trellis", parameters: { states: 8 }, streams: new Map() },
  ]],
  exact: Uint8Array.of(1, 2, 3, 4),
  config: { model_type: "gpt2" },
  source: "tiny",
  sourceSha256: "x".repeat(43) + "=",
};

const open = (bytes: Uint8Array) => openContainer(memorySource(bytes, "tiny.kan.safetensors"));

/** The file with one metadata entry replaced, as another writer might have made it. */
async function rewritten(entries: Record<string, string>): Promise<Uint8Array> {
  const bytes = await encodeContainer(CONTAINER);
  const file = await openSafetensors(memorySource(bytes, "tiny"));
  const tensors = await Promise.all(
    file.tensors.map(async ({ name, dtype, shape }) => ({
      name,
      dtype,
      shape,
      bytes: await file.readBytes(name),
    })),
  );
  const { checksum: _, ...metadata } = { ...file.metadata, ...entries };
  const sorted = JSON.stringify(Object.entries(metadata).sort());
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(sorted));
  const checksum = new Uint8Array(digest).toBase64();
  return encodeSafetensors(tensors, { ...metadata, checksum });
}

Deno.test("openContainer() gives back what encodeContainer() was given", async () => {
  assert.deepEqual(await open(await encodeContainer(CONTAINER)), CONTAINER);
  // Files of earlier versions do not say of which weights they are.
  const { sourceSha256: _, ...earlier } = CONTAINER;
  assert.deepEqual(await open(await encodeContainer(earlier)), earlier);
});

Deno.test("a container is a valid safetensors file of U8 streams", async () => {
  const bytes = await encodeContainer(CONTAINER);
  const { tensors, metadata } = await openSafetensors(memorySource(bytes, "tiny"));
  assert.deepEqual(tensors.map(({ name, dtype }) => [name, dtype]), [
    ["exact", "U8"],
    ["0.0.steps", "U8"],
  ]);
  assert.equal(metadata.format, "kanpress");
});

Deno.test("openContainer() says what is wrong with a file", async () => {
  const other = encodeSafetensors([], { format: "pt" });
  await assert.rejects(open(other), /tiny\.kan\.safetensors: is not a compressed model/);
  const cases: [Record<string, string>, RegExp][] = [
    [{ version: "1" }, /format version 1 by a kanpress before 0\.1\.0; .*compress the model again/],
    [{ version: "99", writer: "kanpress 7" }, /version 99 by kanpress 7; .*update kanpress/],
    [{ tensors: "[" }, /tensors is not JSON/],
    [{ tensors: '[{"name":"w","dtype":"F32","shape":[-1]}]' }, /not understood/],
    [{ tensors: '[{"name":"w","dtype":"F32","shape":[1e6,1e6]}]' }, /claims/],
    [{ tensors: '[{"name":"a.#","count":1e9,"dtype":"F32","shape":[0]}]' }, /not understood/],
    [{ stages: "[3]" }, /stages/],
    [{ stages: '[[{"kind":"field","parameters":{},"streams":["x"]}]]' }, /lacks stream 0\.0\.x/],
    [{ aliases: '{"head":"v"}' }, /tied to v/],
    [{ sha256: "{}" }, /SHA-256/],
  ];
  for (const [entries, message] of cases) {
    await assert.rejects(open(await rewritten(entries)), (error) => {
      assert.ok(error instanceof InputError && message.test(error.message), `${error}`);
      return true;
    });
  }
});
