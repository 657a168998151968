import type { WeightTensor } from "../data/tensor.ts";

/**
 * SHA-256, in hexadecimal, of the names, shapes and values of weights: equal where two programs
 * decode the same bits. Tensors are added one by one, in any order, and need not be kept. Values
 * count as little-endian 32-bit floats, as all machines store them that run JavaScript today.
 *
 * ```ts
 * import { WeightsHash } from "./weights_hash.ts";
 * import assert from "node:assert";
 *
 * const hash = new WeightsHash();
 * await hash.add("w", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) });
 * assert.match(await hash.finish(), /^[0-9a-f]{64}$/);
 * ```
 */
export class WeightsHash {
  readonly #rows = new Map<string, string>();

  /** Adds a tensor. */
  async add(name: string, { shape, data }: WeightTensor): Promise<void> {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    this.#rows.set(name, JSON.stringify([name, shape, await sha256(bytes)]));
  }

  /** The digest of what was added. */
  async finish(): Promise<string> {
    const rows = [...this.#rows.keys()].sort().map((name) => this.#rows.get(name)!);
    return await sha256(new TextEncoder().encode(rows.join("\n")));
  }
}

/** The {@linkcode WeightsHash} of all of a model's weights. */
export async function hashWeights(
  weights: Iterable<readonly [name: string, tensor: WeightTensor]>,
): Promise<string> {
  const hash = new WeightsHash();
  for (const [name, tensor] of weights) await hash.add(name, tensor);
  return await hash.finish();
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
