import assert from "node:assert";
import { memorySource } from "../data/memory_source.ts";
import { openSafetensors } from "../data/safetensors_file.ts";
import { containerWeights } from "./container_weights.ts";
import { openContainer } from "./file/container.ts";
import { decodesApart } from "./file/decode_groups.ts";
import { decompressWeights } from "./decompress.ts";
import { laplacianModel, symbolTables } from "./entropy/symbol_model.ts";
import { READ_VERSIONS } from "./format/constants.ts";
import { createRunDecoderKernel } from "./entropy/run_decoder_kernel.ts";
import { createTrellis } from "./scan/trellis.ts";
import { digestsOf, readGoldenFiles } from "./testdata/golden_files.ts";

// These files were written once. Where one of these tests fails, files that people have no longer
// decode: see CONTRIBUTING.md on changes of the format.

function hasKernel(): boolean {
  return createRunDecoderKernel(createTrellis(8), symbolTables(laplacianModel(2)), 0) !== undefined;
}

async function decodesAll(): Promise<void> {
  for (const { name, bytes, tensors } of await readGoldenFiles()) {
    assert.deepEqual(await digestsOf(await decompressWeights(bytes)), tensors, name);
  }
}

// The first test of the file: a kernel, once made, is kept.
Deno.test("plain TypeScript decodes the golden files bit for bit", async () => {
  const { WebAssembly } = globalThis;
  Reflect.deleteProperty(globalThis, "WebAssembly");
  try {
    assert.ok(!hasKernel());
    await decodesAll();
  } finally {
    globalThis.WebAssembly = WebAssembly;
  }
});

Deno.test("WebAssembly decodes the golden files bit for bit", async () => {
  assert.ok(hasKernel());
  await decodesAll();
});

Deno.test("tensors of golden files decode alone to the same bits", async () => {
  let files = 0;
  for (const { name, bytes, tensors } of await readGoldenFiles()) {
    const container = await openContainer(memorySource(bytes, name));
    if (!decodesApart(container)) continue;
    files++;
    const source = containerWeights(container);
    const weights = new Map();
    for (const { name } of source.tensors) weights.set(name, await source.read(name));
    assert.deepEqual(await digestsOf(weights), tensors, name);
  }
  assert.ok(files >= 7);
});

Deno.test("there are golden files of every format version that is read, at most 10 kB each", async () => {
  const versions = new Set<string>();
  for (const { name, bytes } of await readGoldenFiles()) {
    assert.ok(bytes.length <= 10_000, name);
    const { metadata } = await openSafetensors(memorySource(bytes, name));
    versions.add(metadata.version!);
    assert.match(metadata.writer!, /^kanpress \d+\.\d+\.\d+/);
  }
  assert.deepEqual([...versions].sort(), READ_VERSIONS);
});
