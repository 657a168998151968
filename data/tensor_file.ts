import { FileArrayWriter } from "./file_array.ts";
import { narrowedExactly, tensorInFile } from "./half_values.ts";
import { readTensorRows } from "./read_rows.ts";
import { releaseMemory } from "./release_memory.ts";
import { elementCount, type TensorInfo, type WeightSource, type WeightTensor } from "./tensor.ts";

/** Values that are in memory at once, about. */
const PIECE = 2 ** 20;

/**
 * Copies a tensor of a source to a file of its own, some rows at a time where the source can read them,
 * and gives the tensor that reads its values from there: in the 16 bits that they are stored in, unless
 * those lose any, else in float32. Throws {@linkcode InputError} that names the file where the disk is
 * full.
 */
export async function copyToFile(
  source: WeightSource,
  info: TensorInfo,
  file: string,
): Promise<WeightTensor> {
  const { dtype } = info;
  const halved = dtype === "F16" || dtype === "BF16"
    ? await copyHalf(source, info, dtype, file)
    : undefined;
  if (halved !== undefined) return halved;
  const writer = new FileArrayWriter(file, "Float32Array");
  try {
    for await (const values of piecesOf(source, info)) writer.write(values);
  } catch (error) {
    writer.close();
    throw error;
  }
  return tensorInFile(info, writer.finish());
}

/** Copies 16 bits of each value; undefined where they are not enough for one. */
async function copyHalf(
  source: WeightSource,
  info: TensorInfo,
  dtype: "F16" | "BF16",
  file: string,
): Promise<WeightTensor | undefined> {
  const writer = new FileArrayWriter(file, "Uint16Array");
  try {
    for await (const values of piecesOf(source, info)) {
      const patterns = narrowedExactly(dtype, values);
      if (patterns === undefined) {
        writer.close();
        return undefined;
      }
      writer.write(patterns);
    }
  } catch (error) {
    writer.close();
    throw error;
  }
  return tensorInFile(info, writer.finish());
}

/** The values of a tensor in order; each piece is gone when the next is asked for. */
async function* piecesOf(
  source: WeightSource,
  { name, shape }: TensorInfo,
): AsyncGenerator<Float32Array, void> {
  const [rows] = shape;
  if (rows === undefined || source.readRows === undefined) {
    const { data } = await source.read(name);
    for (let first = 0; first < data.length; first += PIECE) {
      yield data.subarray(first, first + PIECE);
    }
    return;
  }
  const most = Math.max(1, Math.floor(PIECE / Math.max(1, elementCount(shape.slice(1)))));
  for (let first = 0; first < rows; first += most) {
    const numbers = Int32Array.from({ length: Math.min(most, rows - first) }, (_, i) => first + i);
    const { data } = await readTensorRows(source, name, numbers);
    yield data;
    releaseMemory(data);
  }
}
