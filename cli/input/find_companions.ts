import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type ByteSource,
  openCompanions,
  openFile,
  openModel,
  weightsDigest,
} from "../../data/mod.ts";
import { fileNameOf } from "../../data/file_name.ts";
import { chooseCompanions, chooseDocuments } from "../../data/model_files.ts";
import { checkTokenizerFile } from "../../data/tokenizer_size.ts";
import type { Container } from "../../hierarchy/file/container.ts";
import type { CompressedArgument } from "./compressed_argument.ts";
import { HUB_PREFIX } from "./model_names.ts";
import { downloadOptions } from "./original_model.ts";
import type { Run } from "../terminal/run.ts";

/** A longer file is none that people read. */
const LONGEST_DOCUMENT = 1e6;

/**
 * The files that belong to a compressed model beside its weights, such as its tokenizer: those of
 * `given` (`--original`), of which nothing else is fetched, or those beside the compressed file, or
 * the embedded model's. A file does not decide what is read or fetched: the model that it says it
 * was made from is only reported.
 *
 * Throws {@linkcode InputError} if the tokenizer cannot be that of the model.
 */
export async function findCompanions(
  input: CompressedArgument,
  container: Pick<Container, "source" | "sourceSha256" | "config">,
  given: string | undefined,
  run: Run,
): Promise<readonly ByteSource[]> {
  const companions = await companionsOf(input, container, given, run);
  const tokenizer = companions.find(({ name }) => isNamed(name, "tokenizer.json"));
  if (tokenizer === undefined) run.writeLine(adviceFor(container.source));
  else if (container.config !== undefined) await checkTokenizerFile(tokenizer, container.config);
  return companions;
}

async function companionsOf(
  { folder }: CompressedArgument,
  { source, sourceSha256 }: Pick<Container, "source" | "sourceSha256">,
  given: string | undefined,
  run: Run,
): Promise<readonly ByteSource[]> {
  if (given !== undefined) {
    return await run.phase(
      "open",
      (progress) => openCompanions(given, downloadOptions(run, progress)),
    );
  }
  const names = folder === undefined ? [] : chooseCompanions(await readdir(folder));
  if (folder !== undefined && names.includes("tokenizer.json")) {
    return await Promise.all(names.map((name) => openFile(join(folder, name))));
  }
  const embedded = await openModel();
  const isEmbedded = source === embedded.name &&
    (sourceSha256 === undefined || sourceSha256 === await weightsDigest(embedded.weights));
  return isEmbedded ? embedded.companions : [];
}

/** The card and the licence beside a compressed file. */
export async function findDocuments({ folder }: CompressedArgument): Promise<ByteSource[]> {
  if (folder === undefined) return [];
  const files = await Promise.all(
    chooseDocuments(await readdir(folder)).map((name) => openFile(join(folder, name))),
  );
  return files.filter(({ byteLength }) => byteLength <= LONGEST_DOCUMENT);
}

function adviceFor(source: string | undefined): string {
  const original = source?.startsWith(HUB_PREFIX) ? source.slice(HUB_PREFIX.length) : source;
  const advice = "no tokenizer was found; name the model that it was made from with --original";
  return original === undefined ? advice : `${advice}: the file says that this is ${original}`;
}

/** Whether a path, of any system, or an address ends with a file name. */
export function isNamed(path: string, fileName: string): boolean {
  return fileNameOf(path) === fileName;
}
