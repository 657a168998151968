import type { StateDict } from "../data/tensor.ts";

/**
 * SHA-256, in hexadecimal, of the names, shapes and values of weights: equal where two programs
 * decode the same bits. Values count as little-endian 32-bit floats, as all machines store them
 * that run JavaScript today.
 */
export async function hashWeights(weights: StateDict): Promise<string> {
  const rows: string[] = [];
  for (const name of [...weights.keys()].sort()) {
    const { shape, data } = weights.get(name)!;
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    rows.push(JSON.stringify([name, shape, await sha256(bytes)]));
  }
  return await sha256(new TextEncoder().encode(rows.join("\n")));
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
