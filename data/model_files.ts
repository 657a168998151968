import { InputError } from "./input_error.ts";

/** Which files of a model folder are what. */
export interface ModelFiles {
  /** A safetensors file, or the index of several. */
  readonly weights: string;
  /** Files beside the weights that belong to the model, in the order of their names. */
  readonly companions: readonly string[];
}

const companionNames = new Set([
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "config.json",
  "generation_config.json",
  "merges.txt",
  "sentencepiece.bpe.model",
  "special_tokens_map.json",
  "spiece.model",
  "tokenizer.json",
  "tokenizer.model",
  "tokenizer_config.json",
  "vocab.json",
  "vocab.txt",
]);

/** How the index of a sharded model ends. */
export const indexSuffix = ".safetensors.index.json";

/**
 * Chooses the weights and companions among the file names of a model folder called `folder`.
 * `model.safetensors` comes before its index, as in transformers; any other name is taken only
 * where it is the only one. Throws an {@linkcode InputError} that says what is missing.
 */
export function chooseModelFiles(folder: string, names: readonly string[]): ModelFiles {
  if (!names.includes("config.json")) {
    throw new InputError(`${folder}: has no config.json; name the folder of a model`);
  }
  return { weights: chooseWeights(folder, names), companions: chooseCompanions(names) };
}

/** The files that belong to a model beside its weights, in the order of their names. */
export function chooseCompanions(names: readonly string[]): string[] {
  return names.filter((name) => companionNames.has(name)).toSorted();
}

function chooseWeights(folder: string, names: readonly string[]): string {
  for (const usual of ["model.safetensors", `model${indexSuffix}`]) {
    if (names.includes(usual)) return usual;
  }
  for (const suffix of [".safetensors", indexSuffix]) {
    const found = names.filter((name) => name.endsWith(suffix) && !isCompressed(name));
    if (found.length === 1) return found[0]!;
    if (found.length > 1 && !names.some((name) => name.endsWith(indexSuffix))) {
      throw new InputError(
        `${folder}: has ${found.length} .safetensors files and no index; name one of them, ` +
          `such as ${folder}/${found.toSorted()[0]}`,
      );
    }
  }
  throw missingWeights(folder, names);
}

/** Whether a name is that of a file that kanpress has compressed. */
export function isCompressed(name: string): boolean {
  return name.endsWith(".kan.safetensors");
}

function missingWeights(folder: string, names: readonly string[]): InputError {
  const other = names.find((name) => /\.(bin|pt|pth|ckpt|h5|msgpack|gguf|onnx)$/.test(name));
  if (other !== undefined) {
    return new InputError(
      `${folder}: has no .safetensors weights, only ${other}; convert them to safetensors, ` +
        `for example with save_pretrained of transformers`,
    );
  }
  const compressed = names.find(isCompressed);
  if (compressed !== undefined) {
    return new InputError(
      `${folder}: has no .safetensors weights but the compressed ${compressed}; ` +
        `decompress it first`,
    );
  }
  return new InputError(`${folder}: has no .safetensors weights; add model.safetensors`);
}
