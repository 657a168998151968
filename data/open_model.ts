import { stat } from "node:fs/promises";
import type { ByteSource } from "./byte_source.ts";
import { openEmbeddedModel } from "./embedded_model.ts";
import { errorCode, fileError } from "./file_error.ts";
import { type HubOptions, isHubId, openHubCompanions, openHubModel } from "./hub_model.ts";
import { InputError } from "./input_error.ts";
import { openLocalCompanions, openLocalModel } from "./local_model.ts";
import type { ModelSource } from "./model_source.ts";

/**
 * Opens a model: a folder in the Hugging Face layout (`config.json`, safetensors weights in one or
 * several files, `tokenizer.json`); a `.safetensors` file in such a folder; a GGUF file of llama.cpp,
 * or its folder; a model of the hub, by its name such as `openai-community/gpt2`, with a branch, tag
 * or commit as in `owner/name@v1.0`, and a GGUF file of it as in `owner/name:model-Q8_0.gguf`, which
 * is downloaded into the cache of huggingface_hub unless it is there; or the embedded model where
 * nothing is named. A path that exists is a path.
 * Weights are not read yet, but their headers are checked.
 *
 * The environment variables `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_CACHE`, `HF_HOME` and
 * `HF_HUB_OFFLINE` are respected. Throws an {@linkcode InputError} that names the file and what to
 * do.
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
export async function openModel(
  pathOrHubId?: string,
  options: HubOptions = {},
): Promise<ModelSource> {
  if (pathOrHubId === undefined) return await openEmbeddedModel();
  if (await exists(pathOrHubId)) return await openLocalModel(pathOrHubId);
  const { id, choice } = parseHubName(pathOrHubId) ?? refuseName(pathOrHubId);
  return await openHubModel(id, { ...options, ...choice });
}

/**
 * Opens the files that belong to a model beside its weights (its config, its tokenizer), the model
 * named as for {@linkcode openModel}. Of a model of the hub nothing else is downloaded.
 *
 * ```ts
 * import { embeddedModelPath, openCompanions } from "@kanpress/kanpress/data";
 * import assert from "node:assert";
 *
 * const names = (await openCompanions(embeddedModelPath())).map(({ name }) => name);
 * assert(names.some((name) => name.endsWith("tokenizer.json")));
 * ```
 */
export async function openCompanions(
  pathOrHubId: string,
  options: HubOptions = {},
): Promise<readonly ByteSource[]> {
  if (await exists(pathOrHubId)) return await openLocalCompanions(pathOrHubId);
  const { id, choice } = parseHubName(pathOrHubId) ?? refuseName(pathOrHubId);
  return await openHubCompanions(id, { ...options, ...choice });
}

/** What of a model of the hub is meant. */
export interface HubChoice {
  /** Branch, tag or commit. */
  readonly revision?: string;
  /** A GGUF file of it. */
  readonly file?: string;
}

/**
 * `owner/name`, `owner/name@revision` or either with `:file.gguf` in its parts; undefined for anything
 * else.
 */
export function parseHubName(
  name: string,
): { readonly id: string; readonly choice: HubChoice } | undefined {
  const [, repository = name, file] = /^([^:]*):(.+\.gguf)$/is.exec(name) ?? [];
  const [id = "", ...revision] = repository.split("@");
  // A file in a folder that is not there: no repository is called so.
  if (!isHubId(id) || /\.(gguf|safetensors)$/i.test(id)) return undefined;
  const choice = {
    ...(revision.length > 0 && { revision: revision.join("@") }),
    ...(file !== undefined && { file }),
  };
  return { id, choice };
}

function refuseName(pathOrHubId: string): never {
  throw new InputError(
    `${
      pathOrHubId || '""'
    }: does not exist; check the path (a model of the hub is owner/name, owner/name@revision or owner/name:file.gguf)`,
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return false;
    throw fileError(path, error);
  }
}
