import type { GgufArchitecture, ValueChange } from "./architecture.ts";

/** What a tensor is called on the other side, and how its values differ. */
export interface NamedTensor {
  /** The name there. */
  readonly name: string;
  /** How GGUF's values differ from Hugging Face's, if they do. */
  readonly change?: ValueChange;
}

const PARTS = /^(.*)\.(weight|bias)$/;
const NUMBER = /\.(0|[1-9]\d{0,5})\./;

/**
 * GGUF's name of a tensor of Hugging Face's, with or without the body's prefix; undefined where the
 * architecture has no such tensor.
 *
 * ```ts
 * import { ggufArchitectures } from "./architectures.ts";
 * import { ggufName } from "./tensor_names.ts";
 * import assert from "node:assert";
 *
 * const llama = ggufArchitectures.find(({ name }) => name === "llama")!;
 * assert.deepEqual(ggufName(llama, "model.layers.7.self_attn.q_proj.weight"), {
 *   name: "blk.7.attn_q.weight",
 *   change: "queryPairs",
 * });
 * ```
 */
export function ggufName(architecture: GgufArchitecture, name: string): NamedTensor | undefined {
  const { prefix, head } = architecture;
  const body = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return name === `${head}.weight` || name === `${head}.bias`
    ? { name: `output${name.slice(head.length)}` }
    : rename(body, architecture, "huggingFace");
}

/**
 * Hugging Face's name of a tensor of GGUF's, with the body's prefix; undefined where the
 * architecture has no such tensor.
 *
 * ```ts
 * import { ggufArchitectures } from "./architectures.ts";
 * import { huggingFaceName } from "./tensor_names.ts";
 * import assert from "node:assert";
 *
 * const llama = ggufArchitectures.find(({ name }) => name === "llama")!;
 * assert.deepEqual(huggingFaceName(llama, "output.weight"), { name: "lm_head.weight" });
 * assert.equal(huggingFaceName(llama, "blk.0.ssm_in.weight"), undefined);
 * ```
 */
export function huggingFaceName(
  architecture: GgufArchitecture,
  name: string,
): NamedTensor | undefined {
  if (name === "output.weight" || name === "output.bias") {
    return { name: architecture.head + name.slice("output".length) };
  }
  const found = rename(name, architecture, "gguf");
  return found && { ...found, name: architecture.prefix + found.name };
}

function rename(
  name: string,
  { tensors }: GgufArchitecture,
  from: "gguf" | "huggingFace",
): NamedTensor | undefined {
  const [, stem, part] = PARTS.exec(name) ?? [];
  if (stem === undefined) return undefined;
  const layer = NUMBER.exec(stem)?.[1] ?? "";
  const pattern = stem.replace(NUMBER, ".{}.");
  const row = tensors.find(([gguf, huggingFace]) =>
    (from === "gguf" ? gguf : huggingFace) === pattern
  );
  if (row === undefined) return undefined;
  const [gguf, huggingFace, change] = row;
  const found = (from === "gguf" ? huggingFace : gguf).replace("{}", layer);
  return { name: `${found}.${part}`, ...(change !== undefined && { change }) };
}
