import { InputError } from "./input_error.ts";

/** Which files of a model folder are what. */
export interface ModelFiles {
  /** A safetensors file, or the index of several. */
  readonly weights: string;
  /** Files beside the weights that belong to the model, in the order of their names. */
  readonly companions: readonly string[];
  /** Files for people: the model's card and its licence, in the order of their names. */
  readonly documents: readonly string[];
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
    const advice = adviceForFolder(names) ?? "has no config.json; name the folder of a model";
    throw new InputError(`${folder}: ${advice}`);
  }
  return {
    weights: chooseWeights(folder, names),
    companions: chooseCompanions(names),
    documents: chooseDocuments(names),
  };
}

/** The files that belong to a model beside its weights, in the order of their names. */
export function chooseCompanions(names: readonly string[]): string[] {
  return names.filter((name) => companionNames.has(name)).toSorted();
}

/** Name of a model's card. */
export const cardName = "README.md";

/** Names of licences and what belongs to them, such as `LICENSE`, `LICENSE.txt`, `USE_POLICY.md`. */
const licenceNames = /^(LICEN[CS]E|COPYING|NOTICE|USE_POLICY)([-_.][\w.-]{1,40})?$/i;

/** The card and licence of a model, in the order of their names. */
export function chooseDocuments(names: readonly string[]): string[] {
  return names.filter((name) => name === cardName || licenceNames.test(name)).toSorted();
}

function chooseWeights(folder: string, names: readonly string[]): string {
  for (const usual of ["model.safetensors", `model${indexSuffix}`]) {
    if (names.includes(usual)) return usual;
  }
  for (const suffix of [".safetensors", indexSuffix]) {
    const found = names.filter((name) => name.endsWith(suffix) && isWeights(name));
    if (found.length === 1 && shardOf(found[0]!) === undefined) return found[0]!;
    if (found.length > 0 && !names.some((name) => name.endsWith(indexSuffix))) {
      throw new InputError(`${folder}: ${adviceForSeveral(folder, found.toSorted())}`);
    }
  }
  throw new InputError(`${folder}: ${adviceForFolder(names) ?? missingWeights(names)}`);
}

/** Whether a folder of these files has weights in safetensors, or an index of such. */
export function hasSafetensors(names: readonly string[]): boolean {
  return names.some((name) =>
    (name.endsWith(".safetensors") || name.endsWith(indexSuffix)) && isWeights(name)
  );
}

/** Whether a name may be that of a model's own weights. */
function isWeights(name: string): boolean {
  return !isCompressed(name) && !name.startsWith("adapter_");
}

/** Which of how many parts of a model a weights file is, by its name; undefined if it is whole. */
export function shardOf(
  name: string,
): { readonly part: number; readonly parts: number } | undefined {
  const [, part, parts] = /-(\d{5})-of-(\d{5})\.safetensors$/.exec(name) ?? [];
  return parts === undefined || Number(parts) < 2
    ? undefined
    : { part: Number(part), parts: Number(parts) };
}

function adviceForSeveral(folder: string, found: readonly string[]): string {
  const shards = found.map(shardOf).filter((shard) => shard !== undefined);
  const parts = shards[0]?.parts;
  if (parts === undefined) {
    return `has ${found.length} .safetensors files and no index; name one of them, such as ` +
      `${folder}/${found[0]}`;
  }
  const index = found[0]!.replace(/-\d{5}-of-\d{5}\.safetensors$/, indexSuffix);
  const here = new Set(shards.map(({ part }) => part));
  const count = here.size === parts ? `the ${parts} parts` : `${here.size} of the ${parts} parts`;
  const missing = here.size === parts ? index : `the other parts and ${index}`;
  return `has ${count} of a model, but not the index of its tensors; add ${missing} from where ` +
    "you got them";
}

/** Whether a name is that of a file that kanpress has compressed. */
export function isCompressed(name: string): boolean {
  return name.endsWith(".kan.safetensors");
}

function missingWeights(names: readonly string[]): string {
  const other = names.find((name) => /\.(bin|pt|pth|ckpt|h5|msgpack|onnx)$/.test(name));
  if (other !== undefined) {
    return `has no .safetensors weights, only ${other}; convert them to safetensors, ` +
      "for example with save_pretrained of transformers";
  }
  const compressed = names.find(isCompressed);
  if (compressed !== undefined) {
    return `has no .safetensors weights but the compressed ${compressed}; decompress it first`;
  }
  return "has no .safetensors weights; add model.safetensors";
}

/** What a folder is, and what to do, where it is something else than a model's. */
function adviceForFolder(names: readonly string[]): string | undefined {
  if (names.some((name) => /^adapter_(config\.json|model\.safetensors)$/.test(name))) {
    return "holds an adapter (PEFT, such as LoRA) and not the model that it adapts; load both with " +
      "peft, merge_and_unload() and save_pretrained(), and name the result";
  }
  if (names.includes("snapshots") && names.includes("blobs")) {
    return "is a model's folder in the hub's cache; name a folder in its snapshots/, or owner/name";
  }
  return undefined;
}
