import assert from "node:assert";
import { readFileSync } from "node:fs";
import { openGgufModel } from "../../data/gguf/gguf_model.ts";
import type { GgufValue } from "../../data/gguf/metadata_value.ts";
import { ggmlTypes } from "../../data/gguf/types.ts";
import { fileToWrite } from "../../data/gguf/testdata/file_to_write.ts";
import {
  type FileToWrite,
  ggufBytes,
  numberValue,
  type TensorToWrite,
  textsValue,
  textValue,
} from "../../data/gguf/testdata/gguf_bytes.ts";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { elementCount } from "../../data/tensor.ts";
import { randomStateDict } from "../../eval/testdata/random_model.ts";
import { planGguf } from "../../gguf/plan_gguf.ts";
import { ggufConfigs, letters, sourceOf } from "../../gguf/testdata/model_configs.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes, randomBytes } from "../mutate_bytes.ts";
import type { FuzzTarget } from "../target.ts";

const FOLDER = new URL("../../data/gguf/testdata/", import.meta.url);

/** A small random model, written by us. */
async function written(name: string): Promise<Uint8Array> {
  const config = ggufConfigs[name]!;
  const weights = sourceOf(randomStateDict(config, 1));
  const tokenizer = letters(Number(config["vocab_size"]));
  const chunks = await Array.fromAsync(planGguf({ config, weights, tokenizer }, "q8_0").chunks());
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}

/** Models that can be opened: with a vocabulary of each kind, and of those that need most to be read. */
const SOUND: readonly FileToWrite[] = [
  ...["tiny_llama.gguf", "tiny_sentencepiece.gguf"].map((name) =>
    readFileSync(new URL(name, FOLDER))
  ),
  ...await Promise.all(
    ["falcon, grouped", "gemma3_text", "granite", "phi3 with LongRoPE", "stablelm"].map(written),
  ),
].map(fileToWrite);

const AWKWARD = [0, 1, -1, 2, 31, 33, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 1e300, NaN, -Infinity];
const TEXTS = [
  "",
  "\0",
  "\u001b[2J\n",
  "llama",
  "gemma",
  "qwen2",
  "gpt2",
  "default",
  "é".repeat(99),
];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

function awkwardValue(random: Random): GgufValue {
  switch (random.integer(5)) {
    case 0:
      return textValue(pick(random, TEXTS));
    case 1:
      return { type: "BOOL", value: random.integer(2) === 0 };
    case 2:
      return textsValue(TEXTS.slice(0, random.integer(TEXTS.length)));
    case 3:
      return numberValue("FLOAT32", pick(random, AWKWARD));
    default:
      return numberValue("UINT32", Math.abs(Math.trunc(pick(random, AWKWARD.slice(0, 8)))));
  }
}

/** Another value of the same kind, of a key that has a say. */
function changedValue(random: Random, value: GgufValue): GgufValue {
  if (value.type === "STRING") return textValue(pick(random, TEXTS));
  if (value.type !== "ARRAY" || value.elements.values.length === 0) return awkwardValue(random);
  const { type, values } = value.elements;
  const other = pick(random, values as readonly unknown[]);
  const list: unknown[] = [...values];
  const at = random.integer(list.length + 1);
  if (random.integer(2) === 0) list.splice(at, random.integer(3), other);
  else list.length = at;
  return { type: "ARRAY", elements: { type, values: list } } as GgufValue;
}

function changedTensor(random: Random, tensor: TensorToWrite): TensorToWrite {
  const { shape, bytes } = tensor;
  switch (random.integer(6)) {
    case 0:
      return { ...tensor, name: pick(random, ["output.weight", "blk.0.attn_q.bias", "\u001b[0m"]) };
    case 1:
      return { ...tensor, type: pick(random, [...ggmlTypes.keys(), 4, 99, 2 ** 32 - 1]) };
    case 2:
      return { ...tensor, shape: shape.map((size) => random.integer(3) === 0 ? size * 2 : size) };
    case 3:
      return { ...tensor, shape: [...shape, ...pick(random, [[0], [1], [2 ** 52], [1, 1, 1, 1]])] };
    case 4:
      return { ...tensor, offset: pick(random, [0, 8, 32, 2 ** 40, 2 ** 53 - 32]) };
    default:
      return { ...tensor, bytes: randomBytes(random, bytes.length) };
  }
}

function change(random: Random, file: FileToWrite): FileToWrite {
  const metadata = [...file.metadata ?? []], tensors = [...file.tensors ?? []];
  const entry = random.integer(metadata.length), tensor = random.integer(tensors.length);
  switch (random.integer(8)) {
    case 0:
      metadata.splice(entry, 1);
      break;
    case 1:
      metadata.push(pick(random, metadata));
      break;
    case 2:
      metadata[entry] = [metadata[entry]![0], awkwardValue(random)];
      break;
    case 3:
      metadata[entry] = [metadata[entry]![0], changedValue(random, metadata[entry]![1])];
      break;
    case 4:
      metadata.push([pick(random, KEYS), awkwardValue(random)]);
      break;
    case 5:
      tensors.splice(tensor, 1);
      break;
    case 6:
      tensors.push(pick(random, tensors));
      break;
    default:
      tensors[tensor] = changedTensor(random, tensors[tensor]!);
  }
  return { ...file, metadata, tensors };
}

/** Keys that the sound files lack. */
const KEYS = [
  "general.alignment",
  "split.count",
  "split.no",
  "split.tensors.count",
  "llama.attention.key_length",
  "llama.expert_count",
  "llama.rope.scaling.type",
  "llama.rope.scaling.factor",
  "tokenizer.ggml.add_eos_token",
  "tokenizer.ggml.merges",
];

/** Mutations of GGUF files. */
export const target: FuzzTarget = {
  name: "gguf",
  description:
    "GGUF files with metadata, tensors, lengths, offsets and bytes changed, or names that repeat: " +
    "opened, every tensor and the tokenizer read.",
  mutate(random) {
    let file = pick(random, SOUND);
    for (let times = random.integer(4); times > 0; times--) {
      if ((file.tensors ?? []).length > 0) file = change(random, file);
    }
    const version = random.integer(40) === 0 ? random.integer(5) : 3;
    const bytes = ggufBytes({ ...file, version });
    if (random.integer(3) > 0) return bytes;
    // The header is where readers can be misled.
    const header = random.integer(bytes.length);
    const start = mutateBytes(random, bytes.subarray(0, header));
    const changed = new Uint8Array(start.length + bytes.length - header);
    changed.set(start);
    changed.set(bytes.subarray(header), start.length);
    return changed;
  },
  async read(input) {
    try {
      const parts = [memorySource(input, "input.gguf")];
      const model = await openGgufModel({ name: "input", parts, documents: [] });
      for (const { name, shape } of model.weights.tensors) {
        const { data } = await model.weights.read(name);
        assert.equal(data.length, elementCount(shape), name);
        if (shape[0]! > 0) await model.weights.readRows!(name, Int32Array.of(0));
      }
      const tokenizer = await model.tokenizer();
      tokenizer.decode(tokenizer.encode(" Hello\n<s> 12é"));
    } catch (error) {
      if (error instanceof InputError) assert.ok(!/[\p{Cc}\p{Zl}]/u.test(error.message));
      throw error;
    }
  },
};
