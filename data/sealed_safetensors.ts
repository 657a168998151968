import type { ByteSource } from "./byte_source.ts";
import { InputError } from "./input_error.ts";
import { isJsonObject } from "./json_file.ts";
import { quote } from "./quote.ts";
import type { TensorBytes } from "./safetensors_encode.ts";
import { openSafetensors } from "./safetensors_file.ts";
import { writeSafetensors } from "./safetensors_write.ts";
import { sha256, sha256OfJson } from "./sha256.ts";
import type { DType, TensorInfo } from "./tensor.ts";

/** A sealed file whose seal is whole; a tensor's bytes are checked when they are read. */
export interface SealedFile {
  /** What is stored, in the order of the file. */
  readonly tensors: readonly TensorInfo[];
  /** The metadata that was given, without what seals the file. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * Reads a tensor's bytes into memory of their own. Throws {@linkcode InputError} if there is no
   * such tensor of that element type, or its bytes are not those that were written.
   */
  read(name: string, dtype: DType): Promise<ArrayBuffer>;
}

/**
 * Writes a safetensors file that is read again by kanpress only, such as a cache, whole or not at
 * all. It holds a SHA-256 of each tensor's bytes and one of all the rest: metadata, names, element
 * types and shapes. Nothing in it can change without being noticed.
 */
export async function writeSealed(
  path: string,
  tensors: readonly TensorBytes[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await writeSafetensors(path, tensors, await sealMetadata(tensors, metadata));
}

/** The metadata with what seals a file of these tensors. */
export async function sealMetadata(
  tensors: readonly TensorBytes[],
  metadata: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const { name, bytes } of tensors) hashes[name] = await sha256(bytes);
  const all = { ...metadata, sha256: JSON.stringify(hashes) };
  return { ...all, seal: await sealOf(tensors, all) };
}

/**
 * Opens what {@linkcode writeSealed} wrote. Throws {@linkcode InputError} that names the file where
 * it is something else or damaged.
 */
export async function openSealed(source: ByteSource): Promise<SealedFile> {
  const damaged = (what: string) =>
    new InputError(`${source.name}: is damaged (${what}); remove it`);
  const file = await openSafetensors(source);
  const { seal, ...sealed } = file.metadata;
  if (seal === undefined || seal !== await sealOf(file.tensors, sealed)) {
    throw damaged("its header does not fit its SHA-256");
  }
  const { sha256: hashText, ...metadata } = sealed;
  const hashes = parseHashes(hashText);
  if (hashes === undefined) throw damaged("it has no hashes");
  return {
    tensors: file.tensors,
    metadata,
    async read(name, dtype) {
      const found = file.tensors.find((tensor) => tensor.name === name);
      if (found?.dtype !== dtype) throw damaged(`it has no ${dtype} tensor ${quote(name)}`);
      const bytes = (await file.readBytes(name)).slice();
      if (await sha256(bytes) === hashes[name]) return bytes.buffer;
      throw damaged(`tensor ${quote(name)} does not fit its SHA-256`);
    },
  };
}

function parseHashes(text: string | undefined): Readonly<Record<string, unknown>> | undefined {
  try {
    const hashes: unknown = JSON.parse(text ?? "");
    return isJsonObject(hashes) ? hashes : undefined;
  } catch {
    return undefined;
  }
}

/** The hash of all but the tensors' bytes, whatever their order. */
async function sealOf(
  tensors: readonly TensorInfo[],
  metadata: Readonly<Record<string, string>>,
): Promise<string> {
  const infos = tensors.map(({ name, dtype, shape }) => [name, dtype, shape.join()]).sort();
  return await sha256OfJson([infos, Object.entries(metadata).sort()]);
}
