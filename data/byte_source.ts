import { foreignKind, isLfsPointer } from "./file_kind.ts";
import { InputError } from "./input_error.ts";

/** Bytes that can be read in part: a file, a URL, or memory. */
export interface ByteSource {
  /** Path, URL or name, for messages. */
  readonly name: string;
  /** Size in bytes. */
  readonly byteLength: number;
  /**
   * Reads the bytes from `start` up to, not including, `end`, where
   * 0 <= start <= end <= byteLength (a RangeError otherwise). The result may be a view of memory
   * that the source keeps: copy before writing to it. Throws {@linkcode InputError} if the
   * bytes cannot be had.
   */
  read(start: number, end: number): Promise<Uint8Array>;
  /**
   * Fills `target` with the bytes from `start` on, without memory of their own; absent where the
   * source cannot. See {@linkcode readInto}.
   */
  readInto?(target: Uint8Array, start: number): Promise<void>;
  /**
   * Parts of the bytes by name, each of which is read, without waiting, whenever it is asked for, and
   * must then have its SHA-256 in base64; absent where the source cannot.
   */
  readParts?(
    places: ReadonlyMap<
      string,
      { readonly start: number; readonly end: number; readonly sha256: string }
    >,
  ): ReadonlyMap<string, Uint8Array>;
}

/** Fills `target` with the bytes of a source from `start` on; throws as {@linkcode ByteSource.read}. */
export async function readInto(
  source: ByteSource,
  target: Uint8Array,
  start: number,
): Promise<void> {
  if (source.readInto !== undefined) return await source.readInto(target, start);
  target.set(await source.read(start, start + target.length));
}

/** Throws a RangeError unless 0 <= start <= end <= byteLength. */
export function checkRange(start: number, end: number, byteLength: number): void {
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (!whole || start < 0 || end < start || end > byteLength) {
    throw new RangeError(`bytes ${start}..${end} are not within 0..${byteLength}`);
  }
}

/**
 * Reads the whole of a small source. Refuses more than `limit` bytes (default 256 MiB) with an
 * {@linkcode InputError}, so that a wrong path cannot fill the memory, and a Git LFS pointer, which
 * stands where a file was not fetched.
 */
export async function readAll(source: ByteSource, limit: number = 2 ** 28): Promise<Uint8Array> {
  if (source.byteLength > limit) {
    throw new InputError(
      `${source.name}: ${source.byteLength} bytes, where at most ${limit} were expected; ` +
        `check that it is the right file`,
    );
  }
  const bytes = await source.read(0, source.byteLength);
  if (isLfsPointer(bytes)) throw new InputError(`${source.name}: ${foreignKind(bytes)}`);
  return bytes;
}
