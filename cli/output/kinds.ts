import { readGgufHeader } from "../../data/gguf/header.ts";
import { InputError } from "../../data/input_error.ts";
import { openFile } from "../../data/mod.ts";
import { readSafetensorsHeader } from "../../data/safetensors_header.ts";
import { MADE_BY } from "../../eval/plots/made_by.ts";
import { isContainer } from "../../hierarchy/file/container_header.ts";
import { COMPRESSED_NAME } from "../input/compressed_argument.ts";
import type { OutputKind } from "./output.ts";
import { foreignInSite } from "./site_list.ts";
import { foreignIn } from "./written_files.ts";

const FOREIGN = "exists and was not written by kanpress";

/** Name of the weights in a folder that `decompress` writes. */
export const RESTORED_NAME = "model.safetensors";
/** Metadata of those weights: transformers wants the format, we know our own files by the rest. */
export const RESTORED_METADATA = { format: "pt", writtenBy: "kanpress" };

/** A `.kan.safetensors` file. */
export const compressedFile: OutputKind = {
  option: "--out",
  shape: "file",
  foreign: async (path) => await isCompressed(path) ? undefined : FOREIGN,
};

/** A folder with a compressed model and its companions. */
export const compressedFolder: OutputKind = {
  option: "--out",
  shape: "folder",
  foreign: (path) => foreignIn(path, COMPRESSED_NAME, isCompressed),
};

/** What `general.quantized_by` says in a GGUF file of ours. */
export const GGUF_WRITER = "kanpress";
/** Name of the GGUF file in a folder that `decompress` writes. */
export const GGUF_NAME = "model.gguf";

/** A GGUF file for llama.cpp. */
export const ggufFile: OutputKind = {
  option: "--out",
  shape: "file",
  foreign: async (path) => await isGgufOfOurs(path) ? undefined : FOREIGN,
};

/** A folder with a model that was decompressed. */
export const restoredFolder: OutputKind = {
  option: "--out",
  shape: "folder",
  foreign: (path) => foreignIn(path, RESTORED_NAME, isRestored),
};

/** A text for people, which does not tell who wrote it. */
export const textFile: OutputKind = {
  option: "--out",
  shape: "file",
  foreign: () => Promise.resolve("exists, and may be what somebody else wrote"),
};

/** A folder with the page that `demo --build` writes. */
export const siteFolder: OutputKind = {
  option: "--build",
  shape: "folder",
  foreign: (path) => Promise.resolve(foreignInSite(path)),
};

/** A page that `report` makes. */
export const page: OutputKind = madeFile("--out");

/** A picture of a figure. */
export const picture: OutputKind = madeFile("--plot");

/** A file in the beginning of which kanpress is named as what made it. */
function madeFile(option: OutputKind["option"]): OutputKind {
  return {
    option,
    shape: "file",
    foreign: async (path) =>
      await startOf(path, 2000).then((start) => start.includes(MADE_BY)) ? undefined : FOREIGN,
  };
}

/** The first bytes of a file, as letters. */
export async function startOf(path: string, length: number): Promise<string> {
  const file = await openFile(path);
  const start = await file.read(0, Math.min(file.byteLength, length));
  return new TextDecoder("latin1").decode(start);
}

async function isGgufOfOurs(path: string): Promise<boolean> {
  try {
    const { metadata } = await readGgufHeader(await openFile(path));
    const writer = metadata.get("general.quantized_by");
    return writer?.type === "STRING" && writer.value === GGUF_WRITER;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

async function isCompressed(path: string): Promise<boolean> {
  return isContainer(await safetensorsMetadata(path));
}

async function isRestored(path: string): Promise<boolean> {
  return (await safetensorsMetadata(path))["writtenBy"] === RESTORED_METADATA.writtenBy;
}

/** The metadata of a safetensors file; none of a file that is none. */
export async function safetensorsMetadata(path: string): Promise<Readonly<Record<string, string>>> {
  try {
    return (await readSafetensorsHeader(await openFile(path))).metadata;
  } catch (error) {
    if (error instanceof InputError) return {};
    throw error;
  }
}
