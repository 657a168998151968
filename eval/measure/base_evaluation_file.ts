import { existsSync } from "node:fs";
import { openFile } from "../../data/file_source.ts";
import { openSealed, writeSealed } from "../../data/sealed_safetensors.ts";
import type { BaseEvaluation } from "./evaluate.ts";

/**
 * Keeps what {@linkcode evaluateOriginal} kept in a safetensors file with hashes of all that is in
 * it: the hidden states before the head in float32, 4 bytes for each prediction and hidden feature.
 * That is exact, and a vocabulary over twice the hidden size smaller than f16 logits. `key` says
 * which weights they are of.
 */
export async function writeBaseEvaluation(
  path: string,
  key: string,
  { fingerprint, states }: BaseEvaluation,
): Promise<void> {
  const tensors = states.map((state, index) => ({
    name: `${index}`,
    dtype: "F32" as const,
    shape: [state.length],
    bytes: new Uint8Array(state.buffer, state.byteOffset, state.byteLength),
  }));
  await writeSealed(path, tensors, { key, fingerprint });
}

/**
 * Reads what {@linkcode writeBaseEvaluation} wrote; undefined if there is no such file, or one of
 * another key or fingerprint: then the original is to be evaluated again. Throws
 * {@linkcode InputError} where it is damaged.
 */
export async function readBaseEvaluation(
  path: string,
  key: string,
  fingerprint: string,
): Promise<BaseEvaluation | undefined> {
  if (!existsSync(path)) return undefined;
  const file = await openSealed(await openFile(path));
  const { metadata, tensors } = file;
  if (metadata["key"] !== key || metadata["fingerprint"] !== fingerprint) return undefined;
  const states: Float32Array[] = [];
  for (const index of tensors.keys()) {
    states.push(new Float32Array(await file.read(`${index}`, "F32")));
  }
  return { fingerprint, states };
}
