import { fileURLToPath } from "node:url";
import { readAll } from "./byte_source.ts";
import { openFile } from "./file_source.ts";
import { openLocalModel } from "./local_model.ts";
import { type ModelSource, openModelFolder } from "./model_source.ts";
import { openUrl } from "./url_source.ts";

const name = "prose-4m";
const folder = new URL(`./embedded/${name}/`, import.meta.url);
const text = new URL("./embedded/evaluation.txt", import.meta.url);

// A folder on a web server cannot be listed.
const files = {
  weights: "model.safetensors",
  companions: ["config.json", "tokenizer.json", "tokenizer_config.json"],
};

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
  return (folder.protocol === "file:" ? fileURLToPath(folder) : folder.href).replace(/[\\/]$/, "");
}

/** Opens the embedded model, from its folder or over HTTP. */
export async function openEmbeddedModel(): Promise<ModelSource> {
  if (folder.protocol === "file:") return await openLocalModel(embeddedModelPath(), name);
  return await openModelFolder({ name, open: (file) => openUrl(new URL(file, folder)) }, files);
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
  const source = text.protocol === "file:"
    ? await openFile(fileURLToPath(text))
    : await openUrl(text);
  return new TextDecoder().decode(await readAll(source));
}
