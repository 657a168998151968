import { isJsonObject } from "../../data/json_file.ts";
import { sha256OfJson } from "../../data/sha256.ts";
import { FORMAT_VERSION } from "../format/constants.ts";

/**
 * A compressed file of an earlier format version as one of the present version, its checksum made
 * again: what is wrong with it otherwise stays so. Files of which this makes no sense come back as
 * they are.
 */
export async function asPresentVersion(file: Uint8Array): Promise<Uint8Array> {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  } catch {
    return file;
  }
  if (!isJsonObject(header) || !isJsonObject(header.__metadata__)) return file;
  if (!/^\d+$/.test(String(header.__metadata__.version))) return file;
  const { checksum: _, ...others } = header.__metadata__;
  const metadata: Record<string, unknown> = { ...others, version: FORMAT_VERSION, writer: "test" };
  metadata.checksum = await sha256OfJson(Object.entries(metadata).sort());
  const json = new TextEncoder().encode(JSON.stringify({ ...header, __metadata__: metadata }));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const data = file.subarray(8 + length);
  const bytes = new Uint8Array(8 + padded.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded.length), true);
  bytes.set(padded, 8);
  bytes.set(data, 8 + padded.length);
  return bytes;
}
