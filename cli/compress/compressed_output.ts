import { basename, join } from "node:path";
import { type ByteSource, readAll } from "../../data/byte_source.ts";
import { fileNameOf } from "../../data/file_name.ts";
import type { ModelSource } from "../../data/mod.ts";
import { writeFileAtomically } from "../../data/write_file.ts";
import type { CompressedModel } from "../../hierarchy/mod.ts";
import { cardName } from "../../data/model_files.ts";
import { COMPRESSED_NAME, COMPRESSED_SUFFIX } from "../input/compressed_argument.ts";
import { UsageError } from "../terminal/errors.ts";
import { licencesIn } from "./model_card.ts";
import { compressedFile, compressedFolder } from "../output/kinds.ts";
import { openOutput } from "../output/output.ts";
import { cardWithList, listFiles, type WrittenFiles } from "../output/written_files.ts";

/** Where a compressed model is going to be written. */
export interface CompressedOutput extends Disposable {
  /** The `.kan.safetensors` file. */
  readonly file: string;
  /** A hidden folder near it, for files that nobody needs when the command has ended. */
  readonly scratch: string;
  /** Whether an earlier output of kanpress stands there and is going to be replaced. */
  readonly replaces: boolean;
  /** Writes the file and, where a folder is written, companions, licence and card beside it. */
  write(compressed: WrittenBytes, source: CompanionFiles, card: string): Promise<void>;
  /** Replaces the card in a folder that was written; nothing where a file was written alone. */
  writeCard(card: string): Promise<void>;
}

/** The bytes of a file, of which pieces are taken where there are any. */
export type WrittenBytes = Pick<CompressedModel, "bytes" | "pieces">;

/** What comes along with a model. */
export type CompanionFiles = Pick<ModelSource, "companions" | "documents">;

/**
 * Prepares the place that `out` names: a `.kan.safetensors` file, which is written alone, or a
 * folder. Fails now, not after the work, if it cannot be written or holds something else.
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
    scratch: output.scratch,
    replaces: output.replaces,
    write: (compressed) =>
      output.publish((folder) =>
        writeFileAtomically(join(folder, basename(file)), chunksOf(compressed))
      ),
    writeCard: () => Promise.resolve(),
    [Symbol.dispose]: () => output.release(),
  };
}

async function prepareFolder(folder: string): Promise<CompressedOutput> {
  const output = await openOutput(folder, compressedFolder);
  let files: WrittenFiles = {};
  const encode = (card: string) => [new TextEncoder().encode(cardWithList(card, files))];
  return {
    file: join(folder, COMPRESSED_NAME),
    scratch: output.scratch,
    replaces: output.replaces,
    write: (compressed, { companions, documents }, card) =>
      output.publish(async (hidden) => {
        await copyFiles([...companions, ...licencesIn(documents)], hidden);
        await writeFileAtomically(join(hidden, COMPRESSED_NAME), chunksOf(compressed));
        files = listFiles(hidden);
        await writeFileAtomically(join(hidden, cardName), encode(card));
      }),
    writeCard: (card) =>
      output.publishWithin(cardName, (path) => writeFileAtomically(path, encode(card))),
    [Symbol.dispose]: () => output.release(),
  };
}

function chunksOf(compressed: WrittenBytes): Iterable<Uint8Array> {
  return compressed.pieces?.() ?? [compressed.bytes];
}

/** Copies a model's other files, such as config.json and tokenizer.json, as they are. */
export async function copyFiles(files: readonly ByteSource[], folder: string): Promise<void> {
  for (const file of files) {
    await writeFileAtomically(join(folder, fileNameOf(file.name)), [await readAll(file)]);
  }
}
