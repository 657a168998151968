import { existsSync } from "node:fs";
import { openFile } from "../../../data/file_source.ts";
import { openSealed, writeSealed } from "../../../data/sealed_safetensors.ts";
import { calibrate, type CalibrateOptions } from "../../../eval/mod.ts";

/**
 * The mean square of each input of each linear layer over a text, by the name of the layer's weight:
 * what llama.cpp's `llama-imatrix` sums up. Like that, it leaves out the head.
 */
export async function inputMeanSquares(
  options: CalibrateOptions,
  headWeight: string,
): Promise<Map<string, Float32Array<ArrayBuffer>>> {
  const { linears } = await calibrate({ ...options, fisher: false });
  const squares = new Map<string, Float32Array<ArrayBuffer>>();
  const done = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, linear] of linears) {
    if (name === headWeight) continue;
    const shared = linear.sharedWith.map((other) => done.get(other)).find((one) => one);
    const diagonal = shared ?? diagonalOf(linear.hessian);
    done.set(name, diagonal);
    squares.set(name, diagonal);
  }
  return squares;
}

function diagonalOf(matrix: Float64Array): Float32Array<ArrayBuffer> {
  const size = Math.sqrt(matrix.length);
  return Float32Array.from({ length: size }, (_, i) => matrix[i * (size + 1)]!);
}

/** Keeps mean squares in a file; `key` says what they are of. */
export async function writeMeanSquares(
  path: string,
  key: string,
  squares: ReadonlyMap<string, Float32Array<ArrayBuffer>>,
): Promise<void> {
  const tensors = Array.from(squares, ([name, values]) => ({
    name,
    dtype: "F32" as const,
    shape: [values.length],
    bytes: new Uint8Array(values.buffer),
  }));
  await writeSealed(path, tensors, { key });
}

/** Reads mean squares; undefined if there are none of this key. */
export async function readMeanSquares(
  path: string,
  key: string,
): Promise<Map<string, Float32Array<ArrayBuffer>> | undefined> {
  if (!existsSync(path)) return undefined;
  const file = await openSealed(await openFile(path));
  if (file.metadata["key"] !== key) return undefined;
  const squares = new Map<string, Float32Array<ArrayBuffer>>();
  for (const { name } of file.tensors) {
    squares.set(name, new Float32Array(await file.read(name, "F32")));
  }
  return squares;
}
