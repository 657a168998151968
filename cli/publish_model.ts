import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type ByteSource, readAll } from "../data/byte_source.ts";
import { InputError, openFile, openUrl } from "../data/mod.ts";
import { fileNameOf } from "../data/file_name.ts";
import { cardName } from "../data/model_files.ts";
import { printableLine } from "../data/printable.ts";
import { elementCount } from "../data/tensor.ts";
import { writeFileAtomically } from "../data/write_file.ts";
import { formatBytes } from "../eval/report/number_text.ts";
import { checkDecodes } from "../hierarchy/decode_container.ts";
import { openContainer } from "../hierarchy/file/container.ts";
import { licencesIn, publishedCard, readCardOrigin } from "./compress/model_card.ts";
import { COMPRESSED_NAME, requireCompressed } from "./input/compressed_argument.ts";
import { findCompanions, findDocuments } from "./input/find_companions.ts";
import { compressedFolder } from "./output/kinds.ts";
import { openOutput } from "./output/output.ts";
import { cardWithList, listFiles } from "./output/written_files.ts";
import type { Run } from "./terminal/run.ts";
import { formatTable } from "./terminal/text_table.ts";

/** Options of `publish-model`. */
export interface PublishModelOptions {
  /** Folder to write. */
  readonly out?: string;
  /** `owner/name` on the hub. */
  readonly repo?: string;
  /** Writes nothing. */
  readonly dryRun?: true;
  /** One JSON object on stdout instead of text for people. */
  readonly json?: true;
}

/** A file of the published folder. */
interface PublishedFile {
  readonly name: string;
  readonly bytes: number;
  /** SHA-256 in hexadecimal. */
  readonly sha256: string;
  readonly content: ByteSource | Uint8Array;
}

/** Name of the file with the checksums, as `sha256sum --check` reads it. */
const CHECKSUMS = "SHA256SUMS";
/** Name of the decoder in Python. */
const PYTHON_DECODER = "decode_rate.py";

/** `publish-model`: makes the folder that one would upload to a hub. */
export async function publishModel(
  folder: string,
  { out, repo, dryRun, json }: PublishModelOptions,
  run: Run,
): Promise<void> {
  const input = await requireCompressed(folder);
  if (input.folder === undefined) {
    throw new InputError(`${folder}: is not in a folder; name one that compress wrote`);
  }
  const target = out ?? join("published", basename(resolve(input.folder)));
  const container = await run.phase("read", () => openContainer(input.source));
  const companions = await findCompanions(input, container, undefined, run);
  const documents = await findDocuments(input);
  const origin = await readCardOrigin(container.source, documents);
  if (origin.measured === undefined) {
    run.writeLine(
      `${folder}: has no ${cardName} of kanpress that says what was measured; ` +
        "compress the model again without --no-evaluate to have one",
    );
  }
  using output = dryRun ? undefined : await openOutput(target, compressedFolder);
  // Whoever downloads it cannot ask for another file.
  await run.phase("check", () => checkDecodes(container, { signal: run.signal }));
  const decodesInPython = container.stages.length === 1 &&
    container.stages[0]!.map(({ kind }) => kind).join() === "field,trellis";
  const files = await Promise.all([
    describe(COMPRESSED_NAME, input.source),
    ...companions.map((file) => describe(fileNameOf(file.name), file)),
    ...licencesIn(documents).map((file) => describe(fileNameOf(file.name), file)),
    ...(decodesInPython ? [describe(PYTHON_DECODER, await pythonDecoder())] : []),
  ]);
  const parameters = container.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const card = publishedCard(origin, {
    bitsPerWeight: 8 * input.source.byteLength / parameters,
    bytes: input.source.byteLength,
    ...(repo === undefined ? {} : { repo }),
    ...(decodesInPython ? { pythonDecoder: PYTHON_DECODER } : {}),
    files,
  });
  const sums = new TextEncoder().encode(
    files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(""),
  );
  if (output !== undefined) {
    if (output.replaces) run.writeLine(`replacing the model in ${target}`);
    await run.phase("write", () =>
      output.publish(async (hidden) => {
        for (const { name, content } of files) {
          const bytes = content instanceof Uint8Array ? content : await readAll(content, 2 ** 40);
          await writeFileAtomically(join(hidden, name), [bytes]);
        }
        await writeFileAtomically(join(hidden, CHECKSUMS), [sums]);
        const text = cardWithList(card, listFiles(hidden));
        await writeFileAtomically(join(hidden, cardName), [new TextEncoder().encode(text)]);
      }));
  }
  const listed = [
    ...files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    { name: CHECKSUMS, bytes: sums.length },
    { name: cardName, bytes: new TextEncoder().encode(card).length },
  ];
  if (json) run.printJson({ out: target, repo, dryRun: dryRun === true, files: listed });
  else run.print(publishedText(target, repo, dryRun === true, listed));
}

function publishedText(
  out: string,
  repo: string | undefined,
  dryRun: boolean,
  files: readonly { name: string; bytes: number; sha256?: string }[],
): string {
  const rows = files.map(({ name, bytes, sha256 }) => [
    name,
    formatBytes(bytes),
    sha256 === undefined ? "" : sha256.slice(0, 16),
  ]);
  const where = printableLine(out);
  return [
    formatTable([["file", "size", "SHA-256 begins"], ...rows], ["left", "right", "left"]),
    "",
    dryRun ? `would be written to ${where}; nothing was written` : `written to ${where}`,
    ...(dryRun ? [] : [`upload it with: hf upload ${repo ?? "OWNER/NAME"} ${where}`]),
  ].join("\n");
}

async function describe(name: string, content: ByteSource | Uint8Array): Promise<PublishedFile> {
  const bytes = content instanceof Uint8Array ? content : await readAll(content, 2 ** 40);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, bytes: bytes.length, sha256, content };
}

/** The decoder of docs/, from wherever kanpress was started. */
async function pythonDecoder(): Promise<Uint8Array> {
  const url = new URL(`../docs/${PYTHON_DECODER}`, import.meta.url);
  const source = url.protocol === "file:" ? await openFile(fileURLToPath(url)) : await openUrl(url);
  return await readAll(source);
}
