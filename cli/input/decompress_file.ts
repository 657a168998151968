import type { StateDict } from "../../data/tensor.ts";
import { decompressWeights } from "../../hierarchy/mod.ts";
import { requireCompressed } from "./compressed_argument.ts";

/**
 * Restores the weights of a compressed file, to the same bits on every platform: Float32Arrays by name;
 * tied tensors share one. `file` is its path or URL, or a folder that `compress` wrote. Pages use
 * `decompressWeights` or `openCompressed`, which need no file system.
 *
 * Throws {@linkcode InputError} if the file is not there, damaged or of another format. The signal
 * stops the work.
 *
 * ```ts
 * import { decompress, HierarchicalCompressor } from "@kanpress/kanpress";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const path = `${Deno.makeTempDirSync()}/model.kan.safetensors`;
 * await Deno.writeFile(path, bytes);
 * const restored = await decompress(path);
 * assert.deepEqual(restored.get("w")!.shape, [64, 64]);
 * ```
 */
export async function decompress(
  file: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<StateDict> {
  const { source } = await requireCompressed(file);
  return await decompressWeights(source, { signal });
}
