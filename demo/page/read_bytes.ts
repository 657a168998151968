import type { ByteSource } from "../../data/byte_source.ts";
import { fetchWhole, type RequestOptions } from "../../data/http.ts";
import { InputError } from "../../data/input_error.ts";

/** A connection that is lost for a minute and a half, as on a train, is waited for. */
export const PATIENCE: RequestOptions = { attempts: 9 };

/** Reads a small file of the page's site. */
export async function fetchBytes(url: string): Promise<Uint8Array> {
  const response = await fetchWhole(new URL(url, self.location.href).href, PATIENCE);
  if (!response.ok) {
    throw new InputError(`${url}: the server answers ${response.status}; reload the page`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** A file of the user's, parts of which are read when they are asked for. */
export function fileSource(file: File): ByteSource {
  return {
    name: file.name,
    byteLength: file.size,
    async read(start, end) {
      try {
        return new Uint8Array(await file.slice(start, end).arrayBuffer());
      } catch (error) {
        throw unreadable(file, error);
      }
    },
  };
}

/** Such as a file that was changed or removed since it was chosen. */
function unreadable(file: File, cause: unknown): InputError {
  return new InputError(`${file.name}: cannot be read; choose it again`, { cause });
}
