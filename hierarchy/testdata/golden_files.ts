import type { StateDict } from "../../data/tensor.ts";

/** What a tensor of a golden file decodes to. */
export interface GoldenTensor {
  /** Element type of the original. */
  readonly dtype: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** SHA-256, in hexadecimal, of its values as little-endian float32. */
  readonly sha256: string;
}

/** A compressed file that every reader of its format version decodes to the same bits. */
export interface GoldenFile {
  /** Name of the file, without its ending. */
  readonly name: string;
  /** The file. */
  readonly bytes: Uint8Array;
  /** What it decodes to, by name of tensor. */
  readonly tensors: Readonly<Record<string, GoldenTensor>>;
}

const FOLDER = new URL("./golden/", import.meta.url);

/** Where a golden file is. */
export function goldenPath(name: string): URL {
  return new URL(`${name}.kan.safetensors`, FOLDER);
}

/** Where it is written what the golden files decode to. */
export const DIGESTS_PATH: URL = new URL("digests.json", FOLDER);

/** All golden files. */
export async function readGoldenFiles(): Promise<GoldenFile[]> {
  const digests: Record<string, GoldenFile["tensors"]> = JSON.parse(
    await Deno.readTextFile(DIGESTS_PATH),
  );
  return await Promise.all(
    Object.entries(digests).map(async ([name, tensors]) => ({
      name,
      tensors,
      bytes: await Deno.readFile(goldenPath(name)),
    })),
  );
}

/** What stands in `digests.json` of weights. */
export async function digestsOf(weights: StateDict): Promise<GoldenFile["tensors"]> {
  const digests: Record<string, GoldenTensor> = {};
  for (const [name, { dtype, shape, data }] of weights) {
    const bytes = new Uint8Array(4 * data.length);
    const view = new DataView(bytes.buffer);
    data.forEach((value, i) => view.setFloat32(4 * i, value, true));
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    digests[name] = { dtype, shape, sha256: new Uint8Array(digest).toHex() };
  }
  return digests;
}
