import { fileURLToPath } from "node:url";
import { type ByteSource, readAll } from "./byte_source.ts";
import { openFile } from "./file_source.ts";
import { openLocalModel } from "./local_model.ts";
import { type ModelSource, openModelFolder } from "./model_source.ts";
import { openUrl } from "./url_source.ts";

const name = "prose-4m";
// A web server, from which kanpress may have been imported, as from JSR, cannot list a folder.
const files = {
  weights: "model.safetensors",
  companions: ["config.json", "tokenizer.json", "tokenizer_config.json"],
  documents: ["README.md"],
};

/** The folder of what is embedded, beside this module. */
const embedded = new URL("./embedded/", import.meta.url);

/**
 * Where the embedded model is: the path of a folder, or a URL where kanpress was itself imported
 * from one.
 *
 * ```ts
 * import { embeddedModelPath } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assert.match(embeddedModelPath(), /embedded.prose-4m/);
 * ```
 */
export function embeddedModelPath(): string {
  const folder = new URL(name, embedded);
  return folder.protocol === "file:" ? fileURLToPath(folder) : folder.href;
}

/** Opens the embedded model, from its folder or over HTTP. */
export async function openEmbeddedModel(base: URL = embedded): Promise<ModelSource> {
  const folder = new URL(name, base);
  const source = folder.protocol === "file:"
    ? await openLocalModel(fileURLToPath(folder), name)
    : await openModelFolder({ name, open: (file) => openUrl(`${folder.href}/${file}`) }, files);
  opened.add(source);
  return source;
}

/** What {@linkcode openEmbeddedModel} has given. */
const opened = new WeakSet<ModelSource>();

/** Whether a model is the embedded one, whose calibration text is embedded too. */
export function isEmbeddedModel(source: ModelSource): boolean {
  return opened.has(source);
}

/**
 * Reads the embedded evaluation text: original prose that the embedded model was not trained on.
 *
 * ```ts
 * import { readEmbeddedText } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assert((await readEmbeddedText()).split(/\s+/).length > 3000);
 * ```
 */
export async function readEmbeddedText(): Promise<string> {
  return new TextDecoder().decode(await readAll(await openEmbeddedText()));
}

/**
 * Reads the embedded calibration text: 16,384 tokens that the embedded model itself wrote, as
 * `deno task sample` prints them.
 *
 * ```ts
 * import { readEmbeddedCalibration } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * assert((await readEmbeddedCalibration()).length > 50_000);
 * ```
 */
export async function readEmbeddedCalibration(): Promise<string> {
  return new TextDecoder().decode(await readAll(await openEmbeddedText(embedded, "calibration")));
}

/** Opens an embedded text, from its file or over HTTP. */
export async function openEmbeddedText(
  base: URL = embedded,
  text: "evaluation" | "calibration" = "evaluation",
): Promise<ByteSource> {
  const url = new URL(`${text}.txt`, base);
  return url.protocol === "file:" ? await openFile(fileURLToPath(url)) : await openUrl(url);
}
