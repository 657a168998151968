import { existsSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isGgufName } from "../../data/gguf/choose_parts.ts";
import {
  type ByteSource,
  InputError,
  openFile,
  openUrl,
  readTextTokenizer,
  type TextTokenizer,
} from "../../data/mod.ts";

/** How the name of a compressed file ends. */
export const COMPRESSED_SUFFIX = ".kan.safetensors";
/** Name of the compressed file in a folder that `compress` writes. */
export const COMPRESSED_NAME = `model${COMPRESSED_SUFFIX}`;

/** A compressed model that the command line names. */
export interface CompressedArgument {
  /** The `.kan.safetensors` file. */
  readonly source: ByteSource;
  /** The local folder that it stands in, where its tokenizer may be; none for a URL. */
  readonly folder?: string;
}

/**
 * Opens the compressed file that `argument` names: the file itself, its URL, or a folder with one
 * and no other weights. Gives undefined for anything else, such as an ordinary model.
 */
export async function findCompressed(argument: string): Promise<CompressedArgument | undefined> {
  if (/^https?:\/\//.test(argument)) {
    if (!new URL(argument).pathname.endsWith(COMPRESSED_SUFFIX)) return undefined;
    return { source: await openUrl(argument) };
  }
  if (argument.endsWith(COMPRESSED_SUFFIX) && !isFolder(argument)) {
    return { source: await openFile(argument), folder: dirname(argument) };
  }
  if (!isFolder(argument)) return undefined;
  const weights = (await readdir(argument)).filter((name) => name.endsWith(".safetensors"));
  const compressed = weights.filter((name) => name.endsWith(COMPRESSED_SUFFIX));
  if (weights.length > compressed.length || compressed.length === 0) return undefined;
  const name = compressed.length === 1 ? compressed[0] : COMPRESSED_NAME;
  if (name === undefined || !compressed.includes(name)) {
    const example = join(argument, compressed.toSorted()[0] ?? "");
    throw new InputError(
      `${argument}: has ${compressed.length} ${COMPRESSED_SUFFIX} files; name one, such as ${example}`,
    );
  }
  return { source: await openFile(join(argument, name)), folder: argument };
}

/** As {@linkcode findCompressed}, where nothing but a compressed model will do. */
export async function requireCompressed(argument: string): Promise<CompressedArgument> {
  const found = await findCompressed(argument);
  if (found !== undefined) return found;
  if (isGgufName(argument) && existsSync(argument)) {
    throw new InputError(
      `${argument}: is a model that is not compressed; compress it, and name what compress wrote`,
    );
  }
  if (existsSync(argument) && !isFolder(argument)) return { source: await openFile(argument) };
  throw new InputError(
    existsSync(argument)
      ? `${argument}: has no ${COMPRESSED_SUFFIX} file; name one, or a folder that compress wrote`
      : `${argument}: does not exist; name a ${COMPRESSED_SUFFIX} file or its folder`,
  );
}

/**
 * Reads the tokenizer in `folder` of a model with this `config.json`; undefined if it has none.
 * Throws {@linkcode InputError} if it cannot be that model's.
 */
export async function readTokenizerIn(
  folder: string | undefined,
  config: Readonly<Record<string, unknown>>,
): Promise<TextTokenizer | undefined> {
  if (folder === undefined) return undefined;
  const open = async (name: string) => {
    const path = join(folder, name);
    return existsSync(path) ? await openFile(path) : undefined;
  };
  const file = await open("tokenizer.json");
  if (file === undefined) return undefined;
  const settings = await open("tokenizer_config.json");
  return await readTextTokenizer(file, settings, config, await open("special_tokens_map.json"));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
