import { basename, join } from "node:path";
import { type ByteSource, readAll } from "../data/byte_source.ts";
import { writeFileAtomically } from "../data/mod.ts";
import { COMPRESSED_NAME, COMPRESSED_SUFFIX } from "./compressed_argument.ts";
import { UsageError } from "./errors.ts";
import { compressedFile, compressedFolder } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";

/** Where a compressed model is going to be written. */
export interface CompressedOutput extends Disposable {
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
  const output = await openOutput(file, compressedFile);
  return {
    file,
    replaces: output.replaces,
    write: (bytes) =>
      output.publish((folder) => writeFileAtomically(join(folder, basename(file)), [bytes])),
    [Symbol.dispose]: () => output.release(),
  };
}

async function prepareFolder(folder: string): Promise<CompressedOutput> {
  const output = await openOutput(folder, compressedFolder);
  return {
    file: join(folder, COMPRESSED_NAME),
    replaces: output.replaces,
    write: (bytes, companions) =>
      output.publish(async (hidden) => {
        await copyCompanions(companions, hidden);
        await writeFileAtomically(join(hidden, COMPRESSED_NAME), [bytes]);
      }),
    [Symbol.dispose]: () => output.release(),
  };
}

/** Copies a model's other files, such as config.json and tokenizer.json, as they are. */
export async function copyCompanions(
  companions: readonly ByteSource[],
  folder: string,
): Promise<void> {
  for (const companion of companions) {
    const name = companion.name.split(/[\\/]/).at(-1) ?? companion.name;
    await writeFileAtomically(join(folder, name), [await readAll(companion)]);
  }
}
