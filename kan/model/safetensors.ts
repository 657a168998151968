// A minimal reader and writer of the safetensors format. It is here, and not imported from the part
// of this project that reads models, because the KAN library stands alone.

/** Element types that are read, and their bytes. */
const BYTES = { F64: 8, F32: 4, U8: 1 } as const;
type Dtype = keyof typeof BYTES;

/** One tensor of a file. */
export interface StoredTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian values. */
  readonly bytes: Uint8Array;
}

/** Tensors and metadata as one safetensors file, in the given order. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let size = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [size, size += bytes.length] };
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + size).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(json, 8);
  let at = 8 + headerLength;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** The contents of a safetensors file. @throws RangeError if it is damaged. */
export function decodeSafetensors(
  file: Uint8Array,
): { tensors: ReadonlyMap<string, StoredTensor>; metadata: Readonly<Record<string, string>> } {
  const damaged = (what: string) => new RangeError(`the safetensors file is damaged: ${what}`);
  if (file.length < 8) throw damaged("it ends before its header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > file.length) throw damaged("it ends inside its header");
  let header: Record<string, unknown>;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  } catch {
    throw damaged("its header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw damaged("its header is not an object");
  const tensors = new Map<string, StoredTensor>();
  const { __metadata__, ...entries } = header;
  const metadata = __metadata__ ?? {};
  if (!Object.values(metadata).every((value) => typeof value === "string")) {
    throw damaged("its metadata are not strings");
  }
  for (const [name, entry] of Object.entries(entries)) {
    if (!isEntry(entry)) {
      throw damaged(`"${name}" is not a tensor of ${Object.keys(BYTES).join(", ")}`);
    }
    const { dtype, shape, data_offsets: [from, to] } = entry;
    const size = shape.reduce((product, dim) => product * dim, BYTES[dtype] as number);
    if (to - from !== size || from < 0 || start + to > file.length) {
      throw damaged(`"${name}" does not fit its shape or the file`);
    }
    tensors.set(name, { dtype, shape, bytes: file.subarray(start + from, start + to) });
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isEntry(value: unknown): value is Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Partial<
    Record<keyof Entry, unknown>
  >;
  const isCounts = (numbers: unknown) =>
    Array.isArray(numbers) && numbers.every((number) => Number.isInteger(number) && number >= 0);
  return Object.hasOwn(BYTES, dtype as string) && isCounts(shape) && isCounts(offsets) &&
    (offsets as unknown[]).length === 2;
}

/** The numbers of a tensor in float64. */
export function numbersOf({ dtype, bytes }: StoredTensor): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = {
    F64: (i: number) => view.getFloat64(8 * i, true),
    F32: (i: number) => view.getFloat32(4 * i, true),
    U8: (i: number) => view.getUint8(i),
  }[dtype];
  return Float64Array.from({ length: bytes.length / BYTES[dtype] }, (_, i) => read(i));
}
