/**
 * Decoding of compressed models while they download: for pages, which have the first layers long
 * before the last byte. It is bundled for browsers without dependencies; workers are started where the
 * module of theirs can be had, and are done without otherwise.
 *
 * ```ts
 * import { HierarchicalCompressor } from "@kanpress/kanpress/hierarchy";
 * import { openCompressed } from "@kanpress/kanpress/download";
 * import assert from "node:assert";
 *
 * const data = Float32Array.from({ length: 4096 }, (_, i) => Math.sin(i * i));
 * const weights = new Map([["w", { dtype: "F32" as const, shape: [64, 64], data }]]);
 * const { bytes } = await new HierarchicalCompressor({ bits: 6 }).compress(weights);
 * const server = Deno.serve(
 *   { port: 0, hostname: "127.0.0.1", onListen() {} },
 *   () => new Response(new Uint8Array(bytes)),
 * );
 *
 * const model = await openCompressed(`http://127.0.0.1:${server.addr.port}/m.kan.safetensors`);
 * for await (const [name, { shape }] of model) assert.deepEqual([name, shape], ["w", [64, 64]]);
 * await server.shutdown();
 * ```
 *
 * @module
 */
export { InputError } from "../data/input_error.ts";
export type { RequestOptions } from "../data/http.ts";
export type { DType, TensorInfo, WeightTensor } from "../data/tensor.ts";
export type { DownloadProgress } from "./streaming/download_progress.ts";
export {
  type ArrivingModel,
  openCompressed,
  type OpenCompressedOptions,
} from "./streaming/open_compressed.ts";
