import type { StateDict } from "../data/tensor.ts";

/**
 * SHA-256, in hexadecimal digits, of the names, shapes and values of weights.
 *
 * ```ts
 * import { weightsDigest } from "@kanpress/kanpress/eval";
 * import assert from "node:assert";
 *
 * const tensor = { dtype: "F32" as const, shape: [1], data: Float32Array.of(1) };
 * assert.equal((await weightsDigest(new Map([["w", tensor]]))).length, 64);
 * ```
 */
export async function weightsDigest(weights: StateDict): Promise<string> {
  const lines: string[] = [];
  for (const [name, { shape, data }] of weights) {
    lines.push(`${name} ${shape.join()} ${await sha256(data)}`);
  }
  return await sha256(new TextEncoder().encode(lines.join("\n")));
}

async function sha256(data: Float32Array | Uint8Array): Promise<string> {
  // A copy, since shared memory is refused.
  const digest = await crypto.subtle.digest("SHA-256", data.slice());
  return new Uint8Array(digest).toHex();
}
