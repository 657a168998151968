import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ByteSource } from "./byte_source.ts";
import { fileError } from "./file_error.ts";
import { foreignKind, kindBytes } from "./file_kind.ts";
import { openFile } from "./file_source.ts";
import { InputError } from "./input_error.ts";
import { chooseGgufParts, isGgufName } from "./gguf/choose_parts.ts";
import { openGgufModel } from "./gguf/gguf_model.ts";
import { ggufMagic } from "./gguf/header.ts";
import {
  chooseCompanions,
  chooseDocuments,
  chooseModelFiles,
  hasSafetensors,
  indexSuffix,
  isCompressed,
  shardOf,
} from "./model_files.ts";
import { type ModelSource, openDocuments, openModelFolder } from "./model_source.ts";

/**
 * Opens a model folder, or the weights file or index that is named in one, or a GGUF file; `name` is
 * what the model is called in messages and reports.
 */
export async function openLocalModel(path: string, name: string = path): Promise<ModelSource> {
  const named = await weightsFile(path);
  const folder = named === undefined ? path : dirname(path);
  const names = await fileNames(folder);
  const open = (fileName: string) => openFile(join(folder, fileName));
  const parts = ggufPartsIn(folder, names, named);
  if (parts !== undefined) {
    return await openGgufModel({
      name,
      path: folder,
      parts: await Promise.all(parts.map(open)),
      documents: await openDocuments(open, chooseDocuments(names)),
    });
  }
  const candidates = named === undefined
    ? names
    : [...names.filter((other) => !other.includes(".safetensors")), named];
  return await openModelFolder(
    { name, path: folder, open },
    chooseModelFiles(folder, candidates),
  );
}

/** The files of the GGUF model that is named in a folder, or that its only weights are. */
function ggufPartsIn(
  folder: string,
  names: readonly string[],
  named: string | undefined,
): readonly string[] | undefined {
  if (named === undefined) {
    return hasSafetensors(names) ? undefined : chooseGgufParts(folder, names);
  }
  const isOther = named.endsWith(".safetensors") || named.endsWith(indexSuffix);
  return isOther ? undefined : chooseGgufParts(folder, names, named);
}

/**
 * Opens the files beside the weights of a model folder, or of one that weights are named in; those
 * that a GGUF file's metadata stand for.
 */
export async function openLocalCompanions(path: string): Promise<ByteSource[]> {
  const found = await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  const folder = found.isDirectory() ? path : dirname(path);
  const all = await fileNames(folder);
  const isInGguf = found.isDirectory()
    ? !all.includes("config.json") && ggufPartsIn(folder, all, undefined) !== undefined
    : isGguf(path, await startOf(path));
  if (isInGguf) return [...(await openLocalModel(path)).companions];
  const names = chooseCompanions(all);
  return await Promise.all(names.map((name) => openFile(join(folder, name))));
}

/** The name of the weights file, of safetensors or GGUF, that the path is; undefined for a folder. */
async function weightsFile(path: string): Promise<string | undefined> {
  const found = await stat(path).catch((error) => {
    throw fileError(path, error);
  });
  if (found.isDirectory()) return undefined;
  const name = basename(path);
  if (isCompressed(name)) {
    throw new InputError(`${path}: is a compressed model; decompress it first`);
  }
  if (found.isFile() && (name.endsWith(".safetensors") || name.endsWith(indexSuffix))) {
    checkWhole(path, name);
    return name;
  }
  const start = found.isFile() ? await startOf(path) : new Uint8Array();
  if (found.isFile() && isGguf(name, start)) return name;
  const kind = foreignKind(start);
  if (kind !== undefined) throw new InputError(`${path}: ${kind}`);
  throw new InputError(
    `${path}: is not a model; name a model folder, a .safetensors file in one, or a .gguf file`,
  );
}

/** Throws where a weights file is a part of a model, or of something else than a model. */
function checkWhole(path: string, name: string): void {
  const shard = shardOf(name);
  if (shard !== undefined) {
    throw new InputError(
      `${path}: is part ${shard.part} of the ${shard.parts} of a model; name its folder`,
    );
  }
  if (name.startsWith("adapter_")) {
    throw new InputError(
      `${path}: is an adapter (PEFT, such as LoRA) and not the model that it adapts; merge both with ` +
        "peft and name the result",
    );
  }
}

/** Whether a file is one of GGUF, or would be one by its name. */
function isGguf(name: string, start: Uint8Array): boolean {
  return isGgufName(name) ||
    String.fromCharCode(...start.subarray(0, ggufMagic.length)) === ggufMagic;
}

async function startOf(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  return await file.read(0, Math.min(kindBytes, file.byteLength));
}

/** Names of the files in a folder; throws {@linkcode InputError} if it cannot be read. */
export async function fileNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw fileError(folder, error);
  }
}
