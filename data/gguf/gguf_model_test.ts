import assert from "node:assert";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { readAll } from "../byte_source.ts";
import { openFile } from "../file_source.ts";
import { memorySource } from "../memory_source.ts";
import type { ModelSource } from "../model_source.ts";
import { openGgufModel } from "./gguf_model.ts";
import type { GgufValue } from "./metadata_value.ts";
import { fileToWrite } from "./testdata/file_to_write.ts";
import { type FileToWrite, ggufBytes, numberValue, textValue } from "./testdata/gguf_bytes.ts";
import recorded from "./testdata/models.json" with { type: "json" };

const pathOf = (file: string) => fileURLToPath(new URL(`testdata/${file}`, import.meta.url));

async function openRecorded(file: string): Promise<ModelSource> {
  const parts = [await openFile(pathOf(file))];
  return await openGgufModel({ name: file, parts, documents: [] });
}

async function openBytes(...files: FileToWrite[]): Promise<ModelSource> {
  const parts = files.map((file, i) => memorySource(ggufBytes(file), `part ${i + 1}.gguf`));
  return await openGgufModel({ name: "model", parts, documents: [] });
}

const tiny = fileToWrite(readFileSync(pathOf("tiny_llama.gguf")));

/** The tiny Llama with other metadata; undefined takes a key away. */
function withMetadata(changes: Readonly<Record<string, GgufValue | undefined>>): FileToWrite {
  const metadata = new Map(tiny.metadata);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) metadata.delete(key);
    else metadata.set(key, value);
  }
  return { ...tiny, metadata: [...metadata] };
}

async function companion(model: ModelSource, name: string): Promise<string> {
  const file = model.companions.find((other) => other.name === name);
  assert.ok(file !== undefined, `no ${name}`);
  return new TextDecoder().decode(await readAll(file));
}

for (const [file, { tokens, beginning }] of Object.entries(recorded.models)) {
  Deno.test(`${file}: token ids are those of transformers' gguf_file=`, async () => {
    const tokenizer = await (await openRecorded(file)).tokenizer();
    const isByteLevel = file === "tiny_llama.gguf";
    let compared = 0;
    recorded.texts.forEach((text, i) => {
      // transformers does not split digits as "smollm" says, and leaves spaces at the beginning alone
      // where SentencePiece and llama.cpp write one more, as they do behind special tokens.
      const differs = isByteLevel ? /[^\P{N}0-9]/u.test(text) : /^[ ▁]|<\/?s>|<unk>/.test(text);
      if (differs) return;
      assert.equal(tokenizer.encode(text).join(" "), tokens[i], JSON.stringify(text));
      compared++;
    });
    assert.ok(compared > 25, `${compared} texts`);
    assert.equal(tokenizer.addsBos, beginning.length > 1 && beginning[0] === 1);
    for (const text of recorded.texts) {
      if (isByteLevel) assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }
  });
}

Deno.test("config, generation settings, chat template and card come from the metadata", async () => {
  const model = await openRecorded("tiny_llama.gguf");
  assert.deepEqual(model.config, {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: 64,
    num_hidden_layers: 2,
    intermediate_size: 64,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    vocab_size: 321,
    tie_word_embeddings: true,
    rope_theta: 20000,
    head_dim: 16,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
  });
  assert.equal(model.quantization, "GGUF Q8_0, Q4_0 and others");
  const generation = JSON.parse(await companion(model, "generation_config.json"));
  assert.deepEqual(generation, { bos_token_id: 1, eos_token_id: [2, 0] });
  assert.match(await companion(model, "chat_template.jinja"), /^\{% for message in messages %\}/);
  assert.deepEqual(JSON.parse(await companion(model, "config.json")), model.config);
  const settings = JSON.parse(await companion(model, "tokenizer_config.json"));
  assert.equal(settings.bos_token, "<|im_start|>");
  assert.equal(settings.eos_token, "<|im_end|>");
  const [card] = model.documents;
  assert.match(
    new TextDecoder().decode(await readAll(card!)),
    /^---\nlicense: mit\nlanguage:\n {2}- en\n---\n\n# Tiny\n\nBy kanpress\.\n$/,
  );
});

Deno.test("rows are read without the others, as they are in the whole tensor", async () => {
  const { weights } = await openRecorded("tiny_llama.gguf");
  for (const { name, shape, dtype } of weights.tensors) {
    const whole = await weights.read(name);
    assert.deepEqual([whole.shape, whole.dtype], [shape, dtype], name);
    const rows = Int32Array.of(0, 1, 5, 30);
    const some = await weights.readRows!(name, rows);
    const size = whole.data.length / shape[0]!;
    rows.forEach((row, place) => {
      const found = some.data.subarray(place * size, (place + 1) * size);
      assert.deepEqual(found, whole.data.subarray(row * size, (row + 1) * size), name);
    });
  }
});

Deno.test("a model that is split over files is that of one file", async () => {
  const { tensors = [], metadata = [] } = tiny;
  const split = (part: number, from: number, to: number): FileToWrite => ({
    metadata: [
      ...(part === 0 ? metadata : []),
      ["split.no", numberValue("UINT16", part)],
      ["split.count", numberValue("UINT16", 2)],
      ["split.tensors.count", numberValue("INT32", tensors.length)],
    ],
    tensors: tensors.slice(from, to),
  });
  const whole = await openBytes(tiny);
  const parts = [split(0, 0, 7), split(1, 7, tensors.length)] as const;
  const joined = await openBytes(...parts);
  assert.deepEqual(joined.config, whole.config);
  assert.deepEqual(joined.weights.tensors, whole.weights.tensors);
  for (const { name } of whole.weights.tensors) {
    assert.deepEqual(await joined.weights.read(name), await whole.weights.read(name), name);
  }
  assert.equal(joined.weights.fileOf!("model.norm.weight"), "part 1.gguf");
  await assert.rejects(
    openBytes(parts[1], parts[0]),
    /part 1.gguf: is part 2 of 2 by its metadata/,
  );
  await assert.rejects(
    openBytes(parts[0]),
    /is part 1 of 2 by its metadata, .* 1 of 1 was expected/,
  );
  const short = split(1, 8, tensors.length);
  await assert.rejects(openBytes(parts[0], short), /counts 20 tensors in all parts, which have 19/);
});

Deno.test("what is not supported is refused by its name", async () => {
  const refused: [Record<string, GgufValue | undefined>, RegExp][] = [
    [{ "general.architecture": textValue("mamba") }, /architecture "mamba", which .*llama.*qwen2/],
    [{ "general.architecture": undefined }, /is no model, by its metadata/],
    [{ "general.type": textValue("adapter") }, /is a file of type "adapter"/],
    [{ "llama.expert_count": numberValue("UINT32", 8) }, /is a mixture of experts/],
    [
      { "llama.embedding_length": textValue("64") },
      /"llama.embedding_length" is not a whole number/,
    ],
    [
      { "llama.attention.head_count": numberValue("UINT32", 5) },
      /does not fit 5 heads and 2 of keys/,
    ],
    [{ "llama.rope.scaling.type": textValue("spiral") }, /scaling.type" is "spiral", which is not/],
  ];
  for (const [changes, message] of refused) {
    await assert.rejects(openBytes(withMetadata(changes)), { name: "InputError", message });
  }
  const [first, ...rest] = tiny.tensors!;
  const strange = { ...rest[0]!, name: "blk.0.ssm_in.weight" };
  await assert.rejects(
    openBytes({ ...tiny, tensors: [first!, strange, ...rest] }),
    /"blk.0.ssm_in.weight"/,
  );
  const bytes = new Uint8Array(321 * 66), shape = [321, 256];
  const type = { ...first!, type: "IQ2_XXS", shape, bytes };
  await assert.rejects(openBytes({ ...tiny, tensors: [type, ...rest] }), /ggml's type IQ2_XXS/);
});

Deno.test("a tokenizer that is not supported is refused when it is asked for", async () => {
  const refused: [Record<string, GgufValue | undefined>, RegExp][] = [
    [
      { "tokenizer.ggml.model": textValue("bert") },
      /its tokenizer is "bert", which is not supported/,
    ],
    [{ "tokenizer.ggml.pre": textValue("nobody") }, /pre-tokenizer "nobody" is not .*gpt-2.*qwen2/],
    [{ "tokenizer.ggml.merges": undefined }, /has a BPE vocabulary without merges/],
    [{ "tokenizer.ggml.tokens": undefined }, /has no vocabulary/],
  ];
  for (const [changes, message] of refused) {
    const model = await openBytes(withMetadata(changes));
    assert.ok(!model.companions.some(({ name }) => name === "tokenizer.json"));
    await assert.rejects(model.tokenizer(), { name: "InputError", message });
  }
});

Deno.test("values of a quantized vector are read without their block", async () => {
  const [first, ...rest] = tiny.tensors!;
  const norm = rest.findIndex(({ name }) => name === "output_norm.weight");
  const bytes = Uint8Array.from({ length: 2 * 34 }, (_, i) => i % 34 === 1 ? 0x3c : i % 5);
  const tensors = rest.with(norm, { ...rest[norm]!, type: "Q8_0", bytes });
  const { weights } = await openBytes({ ...tiny, tensors: [first!, ...tensors] });
  const whole = await weights.read("model.norm.weight");
  const some = await weights.readRows!("model.norm.weight", Int32Array.of(3, 40));
  assert.deepEqual([...some.data], [whole.data[3], whole.data[40]]);
});
