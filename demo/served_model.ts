/** A compressed model that the page's site offers. */
export interface ServedModel {
  /** What the page calls it. */
  readonly name: string;
  /** Bytes of the compressed file. */
  readonly bytes: number;
  /** Where its files are, relative to the page. */
  readonly folder: string;
  /** Names of the files beside the compressed one, such as `tokenizer.json`. */
  readonly files: readonly string[];
  /** SHA-256, in hexadecimal, of the compressed file's header, which holds digests of the rest. */
  readonly headerSha256: string;
  /** SHA-256, in base64, of the model's config.json as JSON: models of one kind share a tokenizer. */
  readonly configSha256: string;
}

/** Name of the compressed file in each model's folder. */
export const WEIGHTS_NAME = "model.kan.safetensors";

/** The files that a page may want beside the weights; only the first must be there. */
export const COMPANION_NAMES = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "generation_config.json",
  "chat_template.jinja",
  "chat_template.json",
  "README.md",
] as const;

/** Whether a page of this host comes from the machine that shows it: nothing is downloaded then. */
export function isThisMachine(hostname: string): boolean {
  return hostname === "127.0.0.1" || hostname === "localhost";
}

/** What `models.json` says. */
export interface ServedModels {
  /** What can be chosen. */
  readonly models: readonly ServedModel[];
  /** Numbers of the models that the page begins with, at most two. */
  readonly first: readonly number[];
}
