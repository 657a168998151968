import assert from "node:assert";
import { InputError } from "../../data/input_error.ts";
import { memorySource } from "../../data/memory_source.ts";
import { chooseModelFiles } from "../../data/model_files.ts";
import { openModelFolder } from "../../data/model_source.ts";
import { encodeSafetensors } from "../../data/safetensors_encode.ts";
import { elementCount } from "../../data/tensor.ts";
import type { Random } from "../../kan/numeric/random.ts";
import { mutateBytes } from "../mutate_bytes.ts";
import { type Json, mutateJson } from "../mutate_json.ts";
import type { FuzzTarget } from "../target.ts";

/** A folder's files by their names. */
type Files = Record<string, Uint8Array>;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function weightsOf(...names: string[]): Uint8Array {
  const bytes = new Uint8Array(24);
  return encodeSafetensors(names.map((name) => ({ name, dtype: "F32", shape: [2, 3], bytes })));
}

const TOKENIZER = {
  added_tokens: [{ id: 3, content: "<s>", special: true }],
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  model: { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] },
};

const COMMON: Files = {
  "config.json": encode('{"model_type": "gpt2", "vocab_size": 4}'),
  "tokenizer.json": encode(JSON.stringify(TOKENIZER)),
  "tokenizer_config.json": encode('{"bos_token": "<s>"}'),
  "merges.txt": encode("#version: 0.2\na b\n"),
};

/** A layer as GPTQ packs it: 8 outputs of 16 inputs in 4 bits, in two groups. */
function packedLayer(): Uint8Array {
  const tensors = { qweight: [2, 8], qzeros: [2, 1], g_idx: [16], bias: [8], scales: [2, 8] };
  return encodeSafetensors(
    Object.entries(tensors).map(([part, shape]) => {
      const dtype = part === "bias" ? "F32" : part === "scales" ? "F16" : "I32";
      const bytes = new Uint8Array(elementCount(shape) * (dtype === "F16" ? 2 : 4));
      return { name: `h.0.a.${part}`, dtype, shape, bytes };
    }),
  );
}

/** Folders that can be opened: whole weights, weights in parts, and packed ones. */
const SOUND: readonly Files[] = [
  { ...COMMON, "model.safetensors": weightsOf("a", "b") },
  {
    ...COMMON,
    "config.json": encode(
      '{"model_type": "gpt2", "quantization_config": {"quant_method": "gptq"}}',
    ),
    "model.safetensors": packedLayer(),
  },
  {
    ...COMMON,
    "model-00001-of-00002.safetensors": weightsOf("a"),
    "model-00002-of-00002.safetensors": weightsOf("b"),
    "model.safetensors.index.json": encode(JSON.stringify({
      weight_map: {
        a: "model-00001-of-00002.safetensors",
        b: "model-00002-of-00002.safetensors",
      },
    })),
  },
];

/** Names and beginnings of files that do not belong there. */
const FOREIGN: Files = {
  "adapter_config.json": encode("{}"),
  "adapter_model.safetensors": weightsOf("lora_A"),
  "model.gguf": encode("GGUF\x03\0\0\0"),
  "pytorch_model.bin": Uint8Array.of(0x50, 0x4b, 3, 4),
  "model.kan.safetensors": weightsOf("0.0.indices"),
  "second.safetensors": weightsOf("c"),
  "a\u001b[2J\nb.safetensors": weightsOf("d"),
};
const CONTENTS: readonly Uint8Array[] = [
  encode("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"),
  encode("<!DOCTYPE html>"),
  Uint8Array.of(0x1f, 0x8b, 8, 0),
  new Uint8Array(),
];

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.integer(list.length)]!;
}

function change(random: Random, files: Files): void {
  const name = pick(random, Object.keys(files));
  const bytes = files[name] ?? new Uint8Array();
  switch (random.integer(7)) {
    case 0:
      delete files[name];
      break;
    case 1:
      Object.assign(files, { [pick(random, Object.keys(FOREIGN))]: pick(random, CONTENTS) });
      break;
    case 2: {
      const foreign = pick(random, Object.keys(FOREIGN));
      files[foreign] = FOREIGN[foreign]!;
      break;
    }
    case 3:
      files[name] = pick(random, [...CONTENTS, ...Object.values(files)]);
      break;
    case 4:
      files[name] = mutateBytes(random, bytes);
      break;
    default:
      if (name.endsWith(".json")) files[name] = mutatedText(random, bytes);
      else files[name] = mutateBytes(random, bytes);
  }
}

function mutatedText(random: Random, bytes: Uint8Array): Uint8Array {
  try {
    const value: Json = JSON.parse(new TextDecoder().decode(bytes));
    return encode(JSON.stringify(mutateJson(random, value)));
  } catch {
    return mutateBytes(random, bytes); // Changed before, it is no longer JSON.
  }
}

/** A folder as bytes: a line of JSON with names and lengths, then the contents. */
function pack(files: Files): Uint8Array {
  const entries = Object.entries(files);
  const list = encode(`${JSON.stringify(entries.map(([name, { length }]) => [name, length]))}\n`);
  return new Uint8Array(
    entries.reduce<number[]>((all, [, bytes]) => [...all, ...bytes], [...list]),
  );
}

function unpack(bytes: Uint8Array): Files {
  let at = bytes.indexOf(0x0a) + 1;
  const list: [string, number][] = JSON.parse(new TextDecoder().decode(bytes.subarray(0, at)));
  return Object.fromEntries(list.map(([name, length]) => [name, bytes.slice(at, at += length)]));
}

/** Mutations of model folders. */
export const target: FuzzTarget = {
  name: "model_folder",
  description:
    "Model folders with files changed, missing, exchanged or of other programs: opened, every " +
    "tensor and the tokenizer read.",
  mutate(random) {
    const files = { ...pick(random, SOUND) };
    for (let times = 1 + random.integer(3); times > 0; times--) {
      if (Object.keys(files).length > 0) change(random, files);
    }
    return pack(files);
  },
  async read(input) {
    const files = unpack(input);
    const open = (name: string) => {
      const bytes = files[name];
      if (bytes === undefined) throw new InputError(`${name}: does not exist`);
      return Promise.resolve(memorySource(bytes, name));
    };
    try {
      const chosen = chooseModelFiles("folder", Object.keys(files));
      const model = await openModelFolder({ name: "folder", open }, chosen);
      for (const { name, shape } of model.weights.tensors) {
        assert.equal((await model.weights.read(name)).data.length, elementCount(shape), name);
      }
      await model.tokenizer();
    } catch (error) {
      if (error instanceof InputError) assert.ok(!/[\p{Cc}\p{Zl}]/u.test(error.message));
      throw error;
    }
  },
};
