import { existsSync } from "node:fs";
import { openFile } from "../../data/file_source.ts";
import { InputError } from "../../data/input_error.ts";
import { openSafetensors } from "../../data/safetensors_file.ts";
import { writeSafetensors } from "../../data/safetensors_write.ts";
import type { BaseEvaluation } from "./evaluate.ts";

/**
 * Keeps what {@linkcode evaluateOriginal} kept in a safetensors file: the hidden states before the
 * head in float32, 4 bytes for each prediction and hidden feature. That is exact, and a vocabulary
 * over twice the hidden size smaller than f16 logits. `key` says which weights they are of.
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
  await writeSafetensors(path, tensors, { key, fingerprint });
}

/**
 * Reads what {@linkcode writeBaseEvaluation} wrote; undefined where there is no such file, or one of
 * another key or fingerprint, or a damaged one: then the original is to be evaluated again.
 */
export async function readBaseEvaluation(
  path: string,
  key: string,
  fingerprint: string,
): Promise<BaseEvaluation | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    const file = await openSafetensors(await openFile(path));
    const { metadata, tensors } = file;
    if (metadata["key"] !== key || metadata["fingerprint"] !== fingerprint) return undefined;
    const states: Float32Array[] = [];
    for (const index of tensors.keys()) states.push((await file.read(`${index}`)).data);
    return { fingerprint, states };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
