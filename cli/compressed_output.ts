import { basename, join } from "node:path";
import {
  type ByteSource,
  openFile,
  readSafetensorsHeader,
  writeFileAtomically,
} from "../data/mod.ts";
import { InputError } from "../data/mod.ts";
import { isContainer } from "../hierarchy/container.ts";
import { COMPRESSED_NAME, COMPRESSED_SUFFIX } from "./compressed_argument.ts";
import { UsageError } from "./errors.ts";
import { checkReplaceable, stageFile, stageFolder } from "./staged_output.ts";

/** Where a compressed model is going to be written. */
export interface CompressedOutput {
  /** The `.kan.safetensors` file. */
  readonly file: string;
  /** Whether an earlier output of kanpress stands there and is going to be replaced. */
  readonly replaces: boolean;
  /** Writes the file and, where a folder is written, the model's companions beside it. */
  write(bytes: Uint8Array, companions: readonly ByteSource[]): Promise<void>;
}

/**
 * Prepares the place that `out` names: a `.kan.safetensors` file, which is written alone, or a
 * folder. Fails now, not after the work, where it cannot be written or holds something else.
 */
export async function prepareCompressedOutput(out: string): Promise<CompressedOutput> {
  if (out.endsWith(COMPRESSED_SUFFIX)) return await prepareFile(out);
  if (/\.(safetensors|json|bin)$/.test(out)) {
    throw new UsageError(`--out ${out}: must end in ${COMPRESSED_SUFFIX}, or name a folder`);
  }
  return await prepareFolder(out);
}

async function prepareFile(file: string): Promise<CompressedOutput> {
  const replaces = await checkReplaceable(file, isCompressedFile);
  const stage = stageFile(file);
  return {
    file,
    replaces,
    write: (bytes) =>
      stage.publish((folder) => writeFileAtomically(join(folder, basename(file)), [bytes])),
  };
}

async function prepareFolder(folder: string): Promise<CompressedOutput> {
  const file = join(folder, COMPRESSED_NAME);
  const replaces = await checkReplaceable(folder, () => isCompressedFile(file));
  const stage = stageFolder(folder);
  return {
    file,
    replaces,
    write: (bytes, companions) =>
      stage.publish(async (hidden) => {
        await copyCompanions(companions, hidden);
        await writeFileAtomically(join(hidden, COMPRESSED_NAME), [bytes]);
      }),
  };
}

/** Copies a model's other files, such as config.json and tokenizer.json, as they are. */
export async function copyCompanions(
  companions: readonly ByteSource[],
  folder: string,
): Promise<void> {
  for (const companion of companions) {
    const name = companion.name.split(/[\\/]/).at(-1) ?? companion.name;
    await writeFileAtomically(join(folder, name), [await companion.read(0, companion.byteLength)]);
  }
}

/** Whether `path` is a file that kanpress has compressed. */
async function isCompressedFile(path: string): Promise<boolean> {
  try {
    return isContainer((await readSafetensorsHeader(await openFile(path))).metadata);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
