import { existsSync } from "node:fs";
import { openEmbeddedModel } from "./embedded_model.ts";
import { InputError } from "./input_error.ts";
import { openLocalModel } from "./local_model.ts";
import type { ModelSource } from "./model_source.ts";

/**
 * Opens a model: a folder in the Hugging Face layout (`config.json`, safetensors weights in one or
 * several files, `tokenizer.json`), a `.safetensors` file in such a folder, or the embedded model
 * where no path is given. Weights are not read yet, but their headers are checked.
 *
 * Throws an {@linkcode InputError} that names the file and what to do.
 *
 * ```ts
 * import { openModel } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const model = await openModel();
 * assert.equal(model.config["model_type"], "gpt2");
 * const { shape } = await model.weights.read("transformer.wpe.weight");
 * assert.deepEqual(shape, [256, 256]);
 * const tokenizer = await model.tokenizer();
 * assert.equal(tokenizer.decode(tokenizer.encode("It was a bright day.")), "It was a bright day.");
 * ```
 */
export async function openModel(path?: string): Promise<ModelSource> {
  if (path === undefined) return await openEmbeddedModel();
  if (existsSync(path)) return await openLocalModel(path);
  throw new InputError(`${path}: does not exist; check the path`);
}
